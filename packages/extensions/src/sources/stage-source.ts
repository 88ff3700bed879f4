import { AshlarError } from "@ashlar/base";
import type { ReleaseManifest } from "@ashlar/identity";
import type { ExtensionKind } from "@ashlar/identity/extensions";
import type { ArchiveOptions, Step } from "@ashlar/image/debian";
import { stageDebs } from "./stage-debs.ts";
import { stageDirectory } from "./stage-directory.ts";
import type { StagedTree } from "./staged-tree.ts";

/** What an extension is made of. */
export type ExtensionSource =
  | { readonly type: "directory"; readonly path: string }
  | { readonly type: "debs"; readonly packages: readonly string[]; readonly archive: ArchiveOptions };

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
export async function stageSource(source: ExtensionSource, options: StageOptions): Promise<StagedTree> {
  const { tree, kind, step } = options;
  if (source.type === "directory") return await stageDirectory(source.path, tree, step.signal);
  if (kind === "confext") {
    throw new AshlarError("usage", "expected a sysext of Debian packages, found a confext", {
      hint: "configuration comes from a directory or a Butane file",
    });
  }
  return await stageDebs({ ...source, ...options });
}
