import { AshlarError } from "@ashlar/base";
import { parseNoteKey, type NoteKey } from "@ashlar/fleet";
import { keyIdOf } from "@ashlar/statements";
import type { Quorum } from "@ashlar/verifier";

export type WitnessOptions = { readonly witness?: readonly string[]; readonly quorum?: number };

/** All of the witnesses, when it is not said how many. @throws AshlarError `usage`, `malformed` */
export function quorumOf({ witness = [], quorum }: WitnessOptions): Quorum | undefined {
  if (witness.length === 0) {
    if (quorum === undefined) return undefined;
    throw new AshlarError("usage", "expected --witness beside --quorum, found none");
  }
  const witnesses = parseWitnesses(witness);
  const least = quorum ?? witnesses.length;
  if (least >= 1 && least <= witnesses.length) return { witnesses, least };
  throw new AshlarError("usage", `expected --quorum from 1 to the ${witnesses.length} witnesses, found ${least}`);
}

/** @throws AshlarError `malformed`; `usage` for one that is named twice: it would count twice */
export function parseWitnesses(texts: readonly string[]): NoteKey[] {
  const witnesses = texts.map((text) => parseNoteKey(text, "cosignature"));
  const keys = new Set(witnesses.map(({ publicKey }) => keyIdOf(publicKey)));
  if (keys.size === witnesses.length) return witnesses;
  throw new AshlarError("usage", "expected a key of its own for each --witness, found one twice");
}
