import { AshlarError } from "@ashlar/base";
import type { ReleaseManifest } from "@ashlar/identity";
import type { ExtensionKind } from "@ashlar/identity/extensions";
import type { ArchiveOptions, Step } from "@ashlar/image/debian";
import type { LoadedRecipe } from "../recipe/load-recipe.ts";
import { stageDebs } from "./stage-debs.ts";
import { stageDirectory } from "./stage-directory.ts";
import { stageRecipe } from "./stage-recipe.ts";
import type { StagedTree } from "./staged-tree.ts";

/** What an extension is made of. */
export type ExtensionSource =
  | { readonly type: "directory"; readonly path: string }
  | { readonly type: "debs"; readonly packages: readonly string[]; readonly archive: ArchiveOptions }
  | (LoadedRecipe & { readonly type: "recipe"; readonly archive: ArchiveOptions });

export type StageOptions = {
  /** The empty directory that becomes the extension. */
  readonly tree: string;
  /** A directory for what is not kept. */
  readonly work: string;
  readonly kind: ExtensionKind;
  /** Null when the source is to say it. */
  readonly version: string | null;
  readonly base: ReleaseManifest | undefined;
  readonly step: Step;
};

/** Puts a source's files into the tree. */
export async function stageSource(source: ExtensionSource, options: StageOptions): Promise<StagedTree> {
  const { tree, kind, step } = options;
  if (source.type === "directory") return await stageDirectory(source.path, tree, step.signal);
  if (kind === "confext" && source.type === "debs") {
    throw new AshlarError("usage", "expected a sysext of Debian packages, found a confext", {
      hint: "configuration comes from a directory or a Butane file",
    });
  }
  if (source.type === "recipe") return await stageRecipe({ ...source, ...options });
  return await stageDebs({ ...source, ...options });
}
