import { hash as hashOnce } from "node:crypto";
import type { ByteReader } from "../byte-reader.ts";

/** A hash algorithm that Ashlar can compute, by the name that Node, systemd's log and tpm2-tools share. */
export type HashName = "sha1" | "sha256" | "sha384" | "sha512";

/** TCG Algorithm Registry, TPM_ALG_ID. */
const HASHES: ReadonlyMap<number, HashName> = new Map([
  [0x0004, "sha1"],
  [0x000b, "sha256"],
  [0x000c, "sha384"],
  [0x000d, "sha512"],
]);

const SIZES_BYTES: Readonly<Record<HashName, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** The size in bytes of any digest that a TPM structure can hold is at most this (SHA-512). */
export const MAX_DIGEST_BYTES = 64;

export function hashSizeBytes(name: HashName): number {
  return SIZES_BYTES[name];
}

/** The name of a TPM_ALG_ID, or undefined for a hash that Ashlar cannot compute. */
export function hashNameOf(algorithmId: number): HashName | undefined {
  return HASHES.get(algorithmId);
}

export function hashIdOf(name: HashName): number {
  for (const [id, candidate] of HASHES) if (candidate === name) return id;
  throw new TypeError(`no algorithm identifier for ${name}`);
}

export function isHashName(text: string): text is HashName {
  return Object.hasOwn(SIZES_BYTES, text);
}

/** A digest in hexadecimal; text is taken as UTF-8. */
export function hexDigest(name: HashName, bytes: Uint8Array | string): string {
  return hashOnce(name, bytes, "hex");
}

/** H(parts, one after the other). */
export function digestOf(name: HashName, ...parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  const data = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  // By way of text it takes half as long as asking for a Buffer, which a fleet's thousands of events are worth.
  return Buffer.from(hexDigest(name, data), "hex");
}

export function readHash(reader: ByteReader, field: string): HashName {
  const id = reader.u16(field);
  return hashNameOf(id) ?? reader.fail(`${field}: expected SHA-1, SHA-256, SHA-384 or SHA-512, found ${hex16(id)}`);
}

/** For names and signatures, where a collision would let one object stand for another: SHA-1 is refused. */
export function readStrongHash(reader: ByteReader, field: string): HashName {
  const name = readHash(reader, field);
  if (name === "sha1") reader.fail(`${field}: SHA-1 is too weak, expected SHA-256, SHA-384 or SHA-512`);
  return name;
}

export function hex16(value: number): string {
  return `0x${value.toString(16).padStart(4, "0")}`;
}
