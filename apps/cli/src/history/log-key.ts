import type { KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { formatNoteKey, originOf, parseNoteKey, type NoteKey } from "@ashlar/fleet";
import { readPublicKey } from "../certificate/read-certificate.ts";

/** Whose log is believed; one in PEM has no name, and signs whatever log it is. */
export type LogKey = { readonly name: string | undefined; readonly publicKey: KeyObject };

/** @param text a file of PEM, or a verifier key. @throws AshlarError `not-found`, `malformed`, `invalid` */
export async function readLogKey(text: string): Promise<LogKey> {
  if (/^[^+]+\+[0-9a-f]{8}\+/u.test(text)) return parseNoteKey(text);
  const publicKey = await readPublicKey(text);
  if (publicKey.asymmetricKeyType === "ed25519") return { name: undefined, publicKey };
  throw new AshlarError("invalid", `${text}: expected a key for Ed25519, found one for ${publicKey.asymmetricKeyType}`);
}

/** @throws AshlarError `untrusted` for a log of another name */
export function requireName({ name }: LogKey, origin: string): void {
  if (name === undefined || name === origin) return;
  throw new AshlarError("untrusted", `expected the log ${name}, found ${origin}`);
}

/** The key under the name that a checkpoint gives itself. */
export function keyFor(key: LogKey, note: string): NoteKey {
  const name = key.name ?? originOf(note);
  return { name, publicKey: key.publicKey };
}

/** As other programs take it. */
export function describeKey({ publicKey }: LogKey, origin: string): string {
  return formatNoteKey({ name: origin, publicKey });
}
