/** Signed notes (C2SP, signed-note.md): a text, an empty line, and signatures, one a line. With keys for Ed25519 only. */
import { createHash, createPublicKey, verify, type KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import type { Signer } from "../certificate/dsse.ts";

/** Whose notes are believed. The name is part of what its signatures are known by. */
export type NoteKey = { readonly name: string; readonly publicKey: KeyObject };

const MAX_SIGNATURES = 16;
/** "Signature types": Ed25519. */
const ED25519 = 1;
const KEY_ID_BYTES = 4;
const RAW_KEY_BYTES = 32;
/** The start of an Ed25519 key's SubjectPublicKeyInfo (RFC 8410, 4); its 32 bytes follow. */
const SPKI_HEAD: Buffer = Buffer.from("302a300506032b6570032100", "hex");
const MARK = "\u2014 ";

/** "Signatures": no spaces, no plus sign; control characters are in no note at all. */
export function isNoteName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME_CHARACTERS && !/[\s+\p{Cc}\p{Z}]/u.test(name);
}

const MAX_NAME_CHARACTERS = 255;

/** @param text ends with a line feed */
export function signNote(text: string, name: string, { publicKey, sign }: Signer): string {
  const signature = Buffer.concat([keyIdOf({ name, publicKey }), sign(Buffer.from(text))]);
  return `${text}\n${MARK}${name} ${signature.toString("base64")}\n`;
}

/**
 * The text of a note that this key has signed. Signatures of others, such as witnesses, are passed over.
 *
 * @throws AshlarError `malformed` for what is no note, `untrusted` without a good signature by the key
 */
export function openNote(note: string, key: NoteKey): string {
  const end = note.lastIndexOf("\n\n");
  if (end === -1 || !note.endsWith("\n") || /\p{Cc}/u.test(note.replaceAll("\n", ""))) throw malformed("a signed text");
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw malformed(`at most ${MAX_SIGNATURES} signatures`);
  const own = lines.map(parseSignature).filter(({ name, id }) => name === key.name && id.equals(keyIdOf(key)));
  // One that is wrong condemns the note, whatever else has signed it.
  const isSigned =
    own.length > 0 && own.every(({ signature }) => verify(null, Buffer.from(text), key.publicKey, signature));
  if (isSigned) return text;
  const found = own.length === 0 ? `none by ${key.name} with this key` : "one over something else";
  throw new AshlarError("untrusted", `expected a signature by ${formatNoteKey(key)}, found ${found}`);
}

function parseSignature(line: string): { readonly name: string; readonly id: Buffer; readonly signature: Buffer } {
  const [name = "", text = "", ...more] = line.startsWith(MARK) ? line.slice(MARK.length).split(" ") : [];
  const bytes = Buffer.from(text, "base64");
  if (more.length > 0 || !isNoteName(name) || bytes.length <= KEY_ID_BYTES || bytes.toString("base64") !== text) {
    throw malformed("a signature on each of its last lines");
  }
  return { name, id: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** "Verifier keys": what other programs take, `NAME+ID+BASE64`. */
export function formatNoteKey(key: NoteKey): string {
  const bytes = Buffer.concat([Uint8Array.of(ED25519), rawKeyOf(key.publicKey)]);
  return `${key.name}+${keyIdOf(key).toString("hex")}+${bytes.toString("base64")}`;
}

/** @throws AshlarError `malformed` */
export function parseNoteKey(text: string): NoteKey {
  const { name = "", encoded = "" } = /^(?<name>[^+]+)\+[0-9a-f]{8}\+(?<encoded>\S+)$/u.exec(text.trim())?.groups ?? {};
  const bytes = Buffer.from(encoded, "base64");
  if (isNoteName(name) && bytes.length === 1 + RAW_KEY_BYTES && bytes[0] === ED25519) {
    const spki = Buffer.concat([SPKI_HEAD, bytes.subarray(1)]);
    const key = { name, publicKey: createPublicKey({ key: spki, format: "der", type: "spki" }) };
    if (formatNoteKey(key) === text.trim()) return key;
  }
  throw new AshlarError("malformed", "expected a verifier key for Ed25519, as NAME+ID+BASE64");
}

function keyIdOf({ name, publicKey }: NoteKey): Buffer {
  const digest = createHash("sha256").update(`${name}\n`).update(Uint8Array.of(ED25519)).update(rawKeyOf(publicKey));
  return digest.digest().subarray(0, KEY_ID_BYTES);
}

function rawKeyOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" }).subarray(SPKI_HEAD.length);
}

function malformed(expected: string): AshlarError {
  return new AshlarError("malformed", `note: expected ${expected}, found something else`);
}
