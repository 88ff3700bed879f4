/** What a log has signed: how many entries it has, and the root of the tree over them (C2SP, tlog-checkpoint.md). */
import { AshlarError } from "@ashlar/base";
import type { Signer } from "@ashlar/statements";
import { isNoteName, openNote, signNote, type NoteKey } from "./signed-note.ts";

export type Checkpoint = {
  /** The log's name, which is also the name of its key. */
  readonly origin: string;
  /** The number of entries. */
  readonly size: number;
  readonly root: Buffer;
};

/** Sixteen signatures of any kind fit. */
export const MAX_CHECKPOINT_BYTES: number = 128 * 1024;
/** What bitwise operators can count. A log of a certificate a minute would take four thousand years. */
const MAX_SIZE = 2 ** 31 - 1;
const ROOT_BYTES = 32;

export function signCheckpoint({ origin, size, root }: Checkpoint, signer: Signer): string {
  return signNote(`${origin}\n${size}\n${root.toString("base64")}\n`, origin, signer);
}

/** The name that a checkpoint gives its log: what to look for its key by. @throws AshlarError `malformed` */
export function originOf(note: string): string {
  const [origin = ""] = note.split("\n", 1);
  if (isNoteName(origin)) return origin;
  throw new AshlarError("malformed", "checkpoint: expected the log's name on the first line, found something else");
}

/** @throws AshlarError `malformed`, and `untrusted` when the key has not signed it */
export function openCheckpoint(note: string, key: NoteKey): Checkpoint {
  const [origin = "", count = "", encoded = "", ...more] = openNote(note, key).split("\n");
  const root = Buffer.from(encoded, "base64");
  const size = Number(count);
  const isWhole =
    origin === key.name &&
    /^(?:0|[1-9]\d{0,9})$/u.test(count) &&
    size <= MAX_SIZE &&
    root.length === ROOT_BYTES &&
    root.toString("base64") === encoded &&
    more.length > 0;
  if (isWhole) return { origin, size, root };
  throw new AshlarError("malformed", `checkpoint: expected ${key.name}, a size and a root, found something else`);
}
