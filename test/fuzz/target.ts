import type { Random } from "./random.ts";

/** A parser of outside bytes, with valid inputs to start from. */
export type Target = {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /** Makes an input where mutated seeds would be none. */
  readonly generate?: (random: Random) => Uint8Array;
  /** May give any value or throw an AshlarError, nothing else. */
  readonly parse: (bytes: Uint8Array) => unknown;
};
