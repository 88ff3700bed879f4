import { ByteReader } from "../byte-reader.ts";
import { hashSizeBytes, hex16, readHash } from "./hash-algorithm.ts";

/** What a TPM makes a signing key from, as TPM2_CreatePrimary takes it (TPMT_PUBLIC, TPM 2.0 Library Part 2, 12.2.4). */
export type KeyTemplate = {
  /** RSASSA of 2048 bits, or ECDSA on P-256, both with SHA-256. */
  readonly type: "rsa" | "ecc";
  readonly attributes: number;
  /** Empty, or a SHA-256 digest. */
  readonly authPolicy: Uint8Array;
  /** TPMU_PUBLIC_ID: the modulus' place, or those of x and y. The TPM mixes these bytes into the key. */
  readonly unique: readonly Uint8Array[];
};

/** TCG Algorithm Registry. */
const ALG_RSA = 0x0001;
const SHA256 = "sha256";
const ALG_NULL = 0x0010;
const ALG_RSASSA = 0x0014;
const ALG_ECDSA = 0x0018;
const ALG_ECC = 0x0023;
const P256 = 0x0003;
const RSA_BITS = 2048;
const P256_BYTES = 32;

/**
 * Parses the template of an attestation key, as a cloud keeps it in its TPMs' NV memory.
 *
 * @throws AshlarError `malformed`, also for any kind of key that Ashlar does not quote with
 */
export function parseKeyTemplate(area: Uint8Array): KeyTemplate {
  const reader = new ByteReader(area, "template (TPMT_PUBLIC)", "big-endian");
  const type = reader.u16("type");
  if (type !== ALG_RSA && type !== ALG_ECC) reader.fail(`type: expected RSA or ECC, found ${hex16(type)}`);
  expectSha256(reader, "nameAlg");
  const attributes = reader.u32("objectAttributes");
  const authPolicy = reader.sized16("authPolicy");
  if (authPolicy.length !== 0 && authPolicy.length !== hashSizeBytes(SHA256)) {
    reader.fail(`authPolicy: expected no bytes or a SHA-256 digest, found ${authPolicy.length} bytes`);
  }
  expectNumber(reader, "symmetric", ALG_NULL);
  const unique = type === ALG_RSA ? readRsa(reader) : readEcc(reader);
  reader.end();
  return { type: type === ALG_RSA ? "rsa" : "ecc", attributes, authPolicy, unique };
}

function readRsa(reader: ByteReader): readonly Uint8Array[] {
  expectNumber(reader, "scheme", ALG_RSASSA);
  expectSha256(reader, "scheme.hashAlg");
  expectNumber(reader, "keyBits", RSA_BITS);
  const exponent = reader.u32("exponent");
  // Zero means 65537 (Part 2, 12.2.3.5). Written out, it would be another template, and so another key.
  if (exponent !== 0) reader.fail(`exponent: expected 0, found ${exponent}`);
  return [readUnique(reader, "unique.rsa", RSA_BITS / 8)];
}

function readEcc(reader: ByteReader): readonly Uint8Array[] {
  expectNumber(reader, "scheme", ALG_ECDSA);
  expectSha256(reader, "scheme.hashAlg");
  expectNumber(reader, "curveID", P256);
  expectNumber(reader, "kdf", ALG_NULL);
  return [readUnique(reader, "unique.ecc.x", P256_BYTES), readUnique(reader, "unique.ecc.y", P256_BYTES)];
}

function readUnique(reader: ByteReader, field: string, maxBytes: number): Uint8Array {
  const bytes = reader.sized16(field);
  if (bytes.length > maxBytes) reader.fail(`${field}: expected at most ${maxBytes} bytes, found ${bytes.length}`);
  return bytes;
}

function expectNumber(reader: ByteReader, field: string, expected: number): void {
  const found = reader.u16(field);
  if (found !== expected) reader.fail(`${field}: expected ${hex16(expected)}, found ${hex16(found)}`);
}

function expectSha256(reader: ByteReader, field: string): void {
  const found = readHash(reader, field);
  if (found !== SHA256) reader.fail(`${field}: expected SHA-256, found ${found}`);
}
