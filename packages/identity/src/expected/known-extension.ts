import type { DeclaredExtension } from "@ashlar/declaration";
import type { ExtensionManifest, MeasuredExtension } from "@ashlar/protocol";

/** As much of a published extension as has to be known to judge nodes: an entry of a repository's index has it all. */
export type KnownExtension = MeasuredExtension &
  Pick<ExtensionManifest, "version" | "tier"> & { readonly withdrawn?: { readonly reason: string } };

export function knownExtensionOf({ kind, name, version, tier, image }: ExtensionManifest): KnownExtension {
  return { kind, name, version, tier, rootHash: image.rootHash };
}

/** As much of a declared extension as decides what is right. */
export type RightExtension = Pick<DeclaredExtension, "kind" | "name" | "pattern" | "tier"> & {
  readonly source: Pick<DeclaredExtension["source"], "type">;
};

/** An undeclared extension that somebody has allowed a node for a while, to look into it. */
export type DebugException = {
  readonly name: string;
  /** Null: any version that is published. */
  readonly rootHash: string | null;
  /** RFC 3339. */
  readonly until: string;
};

/** What judges a node's extensions, beside what its configs declare. */
export type ExtensionKnowledge = {
  readonly known: readonly KnownExtension[];
  /** Those that are over, too: what they merged stays in the node's log until it restarts. */
  readonly exceptions: readonly DebugException[];
  /** What is right whatever the pattern says, while it is the node's turn in an update. */
  readonly alsoAllowed: readonly MeasuredExtension[];
};

export const NO_KNOWLEDGE: ExtensionKnowledge = { known: [], exceptions: [], alsoAllowed: [] };
