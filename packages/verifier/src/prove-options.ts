import type { EkRoots } from "@ashlar/identity";
import type { KnownRelease } from "@ashlar/protocol/answers";

/** What every judging needs beside the evidence and what was declared. */
export type ProveOptions = {
  readonly ekRoots: EkRoots | undefined;
  /** Other releases that are known, to name what a node runs instead. */
  readonly candidates: readonly KnownRelease[];
  readonly maxAgeMs: number;
};
