/** Signed notes (C2SP, signed-note.md): a text, an empty line, and signatures, one a line. With keys for Ed25519 only. */
import { createHash, createPublicKey, verify, type KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import type { Signer } from "@ashlar/statements";

/** Whose notes are believed. The name is part of what its signatures are known by. */
export type NoteKey = {
  readonly name: string;
  readonly publicKey: KeyObject;
  /** `ed25519` when it is not said; a witness's signs with a time (cosignature.ts). */
  readonly type?: NoteKeyType;
};
export type NoteKeyType = keyof typeof SIGNATURE_TYPES;

export type NoteSignature = { readonly name: string; readonly id: Buffer; readonly signature: Buffer };

const MAX_SIGNATURES = 16;
/** "Signature types", with Ed25519 in both. */
const SIGNATURE_TYPES = { ed25519: 1, cosignature: 4 } as const;
const KEY_ID_BYTES = 4;
const RAW_KEY_BYTES = 32;
/** The start of an Ed25519 key's SubjectPublicKeyInfo (RFC 8410, 4); its 32 bytes follow. */
const SPKI_HEAD: Buffer = Buffer.from("302a300506032b6570032100", "hex");
const MARK = "\u2014 ";

/** Notes are signed with no other keys here. @throws AshlarError `invalid` */
export function requireNoteSigner({ publicKey }: Pick<Signer, "publicKey">): void {
  if (publicKey.asymmetricKeyType === "ed25519") return;
  throw new AshlarError("invalid", `expected a key for Ed25519, found one for ${publicKey.asymmetricKeyType}`, {
    hint: "other programs that read such logs know no other keys: openssl genpkey -algorithm ed25519 -out history.pem",
  });
}

/** "Signatures": no spaces, no plus sign; control characters are in no note at all. */
export function isNoteName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME_CHARACTERS && !/[\s+\p{Cc}\p{Z}]/u.test(name);
}

const MAX_NAME_CHARACTERS = 255;

/** @param text ends with a line feed */
export function signNote(text: string, name: string, { publicKey, sign }: Signer): string {
  return `${text}\n${signatureLine({ name, publicKey }, sign(Buffer.from(text)))}`;
}

export function signatureLine(key: NoteKey, signature: Uint8Array): string {
  return `${MARK}${key.name} ${Buffer.concat([keyIdOf(key), signature]).toString("base64")}\n`;
}

/** A note's text, and who says to have signed it: nothing is checked yet. @throws AshlarError `malformed` */
export function parseNote(note: string): { readonly text: string; readonly signatures: readonly NoteSignature[] } {
  const end = note.lastIndexOf("\n\n");
  if (end === -1 || !note.endsWith("\n") || /\p{Cc}/u.test(note.replaceAll("\n", ""))) throw malformed("a signed text");
  const lines = note.slice(end + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw malformed(`at most ${MAX_SIGNATURES} signatures`);
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

/** Those that carry this key's name and number. */
export function signaturesBy(key: NoteKey, signatures: readonly NoteSignature[]): readonly Buffer[] {
  const keyId = keyIdOf(key);
  return signatures.flatMap(({ name, id, signature }) => (name === key.name && id.equals(keyId) ? [signature] : []));
}

/**
 * The text of a note that this key has signed. Signatures of others, such as witnesses, are passed over.
 *
 * @throws AshlarError `malformed` for what is no note, `untrusted` without a good signature by the key
 */
export function openNote(note: string, key: NoteKey): string {
  const { text, signatures } = parseNote(note);
  const own = signaturesBy(key, signatures);
  // One that is wrong condemns the note, whatever else has signed it.
  const isSigned =
    own.length > 0 && own.every((signature) => verify(null, Buffer.from(text), key.publicKey, signature));
  if (isSigned) return text;
  const found = own.length === 0 ? `none by ${key.name} with this key` : "one over something else";
  throw new AshlarError("untrusted", `expected a signature by ${formatNoteKey(key)}, found ${found}`);
}

function parseSignature(line: string): NoteSignature {
  const [name = "", text = "", ...more] = line.startsWith(MARK) ? line.slice(MARK.length).split(" ") : [];
  const bytes = Buffer.from(text, "base64");
  if (more.length > 0 || !isNoteName(name) || bytes.length <= KEY_ID_BYTES || bytes.toString("base64") !== text) {
    throw malformed("a signature on each of its last lines");
  }
  return { name, id: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** "Verifier keys": what other programs take, `NAME+ID+BASE64`. */
export function formatNoteKey(key: NoteKey): string {
  const bytes = Buffer.concat([Uint8Array.of(typeOf(key)), rawKeyOf(key.publicKey)]);
  return `${key.name}+${keyIdOf(key).toString("hex")}+${bytes.toString("base64")}`;
}

/** @throws AshlarError `malformed` for what is no key of this type */
export function parseNoteKey(text: string, type: NoteKeyType = "ed25519"): NoteKey {
  const { name = "", encoded = "" } = /^(?<name>[^+]+)\+[0-9a-f]{8}\+(?<encoded>\S+)$/u.exec(text.trim())?.groups ?? {};
  const bytes = Buffer.from(encoded, "base64");
  if (isNoteName(name) && bytes.length === 1 + RAW_KEY_BYTES && bytes[0] === SIGNATURE_TYPES[type]) {
    const spki = Buffer.concat([SPKI_HEAD, bytes.subarray(1)]);
    const key = { name, publicKey: createPublicKey({ key: spki, format: "der", type: "spki" }), type };
    if (formatNoteKey(key) === text.trim()) return key;
  }
  const what = type === "ed25519" ? "a verifier key for Ed25519" : "a witness's verifier key for Ed25519";
  throw new AshlarError("malformed", `expected ${what}, as NAME+ID+BASE64`);
}

function keyIdOf(key: NoteKey): Buffer {
  const digest = createHash("sha256")
    .update(`${key.name}\n`)
    .update(Uint8Array.of(typeOf(key)));
  return digest.update(rawKeyOf(key.publicKey)).digest().subarray(0, KEY_ID_BYTES);
}

function typeOf({ type = "ed25519" }: NoteKey): number {
  return SIGNATURE_TYPES[type];
}

function rawKeyOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" }).subarray(SPKI_HEAD.length);
}

function malformed(expected: string): AshlarError {
  return new AshlarError("malformed", `note: expected ${expected}, found something else`);
}
