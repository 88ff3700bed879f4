/** That an entry is in a log, as a text that can be checked offline (C2SP, tlog-proof.md). */
import { AshlarError } from "@ashlar/base";
import { inclusionPath, leafHash, rootOfPath } from "../merkle/tree.ts";
import { openCheckpoint, type Checkpoint } from "./checkpoint.ts";
import type { NoteKey } from "./signed-note.ts";

const FIRST_LINE = "c2sp.org/tlog-proof@v1";
/** As much as a checkpoint, 31 hashes, and an entry in base64 may take. */
export const MAX_PROOF_CHARACTERS: number = 256 * 1024;
const MAX_PATH = 31;

/** @param checkpoint as the log has signed it @param leaves the hashes of all its entries */
export function formatInclusionProof(
  index: number,
  entry: Uint8Array,
  leaves: readonly Uint8Array[],
  checkpoint: string,
): string {
  const path = inclusionPath(leaves, index).map((hash) => Buffer.from(hash).toString("base64"));
  const extra = `extra ${Buffer.from(entry).toString("base64")}`;
  return [FIRST_LINE, extra, `index ${index}`, ...path, "", checkpoint].join("\n");
}

export type CheckedProof = { readonly index: number; readonly entry: Buffer; readonly checkpoint: Checkpoint };

/**
 * The entry that is in the log, for its name and key.
 *
 * @throws AshlarError `malformed`, `limit`; `untrusted` when the key has not signed it, or the entry is not in its tree
 */
export function checkInclusionProof(text: string, key: NoteKey): CheckedProof {
  if (text.length > MAX_PROOF_CHARACTERS) {
    throw new AshlarError("limit", `proof: expected at most ${MAX_PROOF_CHARACTERS} characters, found ${text.length}`);
  }
  const end = text.indexOf("\n\n");
  const [first, extra = "", place = "", ...lines] = text.slice(0, Math.max(end, 0)).split("\n");
  const entry = /^extra (?<base64>\S+)$/u.exec(extra)?.groups?.["base64"];
  const index = /^index (?<index>0|[1-9]\d{0,9})$/u.exec(place)?.groups?.["index"];
  const path = lines.map((line) => Buffer.from(line, "base64"));
  const isWhole = path.every((hash, at) => hash.length === 32 && hash.toString("base64") === lines[at]);
  if (first !== FIRST_LINE || entry === undefined || index === undefined || !isWhole || path.length > MAX_PATH) {
    throw new AshlarError("malformed", `proof: expected ${FIRST_LINE} with an entry, its place and hashes`);
  }
  const checkpoint = openCheckpoint(text.slice(end + 2), key);
  const bytes = Buffer.from(entry, "base64");
  const root = rootOfPath(leafHash(bytes), Number(index), checkpoint.size, path);
  if (root?.equals(checkpoint.root) === true) return { index: Number(index), entry: bytes, checkpoint };
  throw new AshlarError("untrusted", `proof: expected an entry of the tree that was signed, found another one`);
}
