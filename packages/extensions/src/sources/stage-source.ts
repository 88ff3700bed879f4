import type { ReleaseManifest } from "@ashlar/identity";
import type { ExtensionKind } from "@ashlar/identity/extensions";
import type { Step } from "@ashlar/image/debian";
import { stageDirectory } from "./stage-directory.ts";
import type { StagedTree } from "./staged-tree.ts";

/** What an extension is made of. */
export type ExtensionSource = { readonly type: "directory"; readonly path: string };

export type StageOptions = {
  /** The empty directory that becomes the extension. */
  readonly tree: string;
  /** A directory for what is not kept. */
  readonly work: string;
  readonly kind: ExtensionKind;
  readonly version: string;
  readonly base: ReleaseManifest | undefined;
  readonly step: Step;
};

/** Puts a source's files into the tree. */
export async function stageSource(source: ExtensionSource, { tree, step }: StageOptions): Promise<StagedTree> {
  return await stageDirectory(source.path, tree, step.signal);
}
