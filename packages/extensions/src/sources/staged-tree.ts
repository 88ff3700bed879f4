import type { ExtensionBehaviour, ExtensionManifest } from "@ashlar/protocol";
import type { Material } from "@ashlar/statements";

/** What a source has put into the tree. */
export type StagedTree = {
  /** What it was made of. */
  readonly packages: ExtensionManifest["packages"];
  /** Where it came from, by digest; the tree's own files when nothing else is known. */
  readonly materials: readonly Material[] | "tree";
  /** What the source has and the tree has not, one sentence each. */
  readonly leftOut: readonly string[];
  /** Where a path comes from, for example a Debian package; undefined when there is nothing to say. */
  readonly ownerOf: (path: string) => string | undefined;
  /** What the source itself asks of the node. */
  readonly behaviour: ExtensionBehaviour;
  /** What the source says of its version; null when it does not. */
  readonly version: string | null;
};
