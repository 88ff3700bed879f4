import { constants, verify } from "node:crypto";
import { ByteReader } from "../byte-reader.ts";
import { positiveInteger, sequence } from "../x509/der.ts";
import { type HashName, hex16, readStrongHash } from "./hash-algorithm.ts";
import { keyObjectOf } from "./key.ts";
import type { EccPublic, RsaPublic, TpmPublic } from "./public.ts";

/** TPMT_SIGNATURE (TPM 2.0 Library Part 2, 11.3.4). */
export type TpmSignature = RsaSignature | EcdsaSignature;
type RsaSignature = {
  readonly kind: "rsassa" | "rsapss";
  readonly hash: HashName;
  readonly signature: Uint8Array;
};
/** `r` and `s` are big-endian and may lack leading zeros. */
type EcdsaSignature = {
  readonly kind: "ecdsa";
  readonly hash: HashName;
  readonly r: Uint8Array;
  readonly s: Uint8Array;
};

const ALG_RSASSA = 0x0014;
const ALG_RSAPSS = 0x0016;
const ALG_ECDSA = 0x0018;
/** RSA-4096. */
const MAX_RSA_BYTES = 512;
/** P-521. */
const MAX_COORDINATE_BYTES = 66;

/** Parses a TPMT_SIGNATURE, which is what tpm2_quote writes with `--signature` (its default format, `tss`). */
export function parseSignature(bytes: Uint8Array): TpmSignature {
  const reader = new ByteReader(bytes, "TPMT_SIGNATURE", "big-endian");
  const algorithm = reader.u16("sigAlg");
  if (algorithm !== ALG_RSASSA && algorithm !== ALG_RSAPSS && algorithm !== ALG_ECDSA) {
    reader.fail(`sigAlg: expected RSASSA, RSAPSS or ECDSA, found ${hex16(algorithm)}`);
  }
  const hash = readStrongHash(reader, "hash");
  let result: TpmSignature;
  if (algorithm === ALG_ECDSA) {
    const r = readNumber(reader, "signatureR", MAX_COORDINATE_BYTES);
    const s = readNumber(reader, "signatureS", MAX_COORDINATE_BYTES);
    result = { kind: "ecdsa", hash, r, s };
  } else {
    const signature = readNumber(reader, "sig", MAX_RSA_BYTES);
    result = { kind: algorithm === ALG_RSASSA ? "rsassa" : "rsapss", hash, signature };
  }
  reader.end();
  return result;
}

function readNumber(reader: ByteReader, field: string, maxBytes: number): Uint8Array {
  const bytes = reader.sized16(field);
  if (bytes.length === 0 || bytes.length > maxBytes) {
    reader.fail(`${field}: expected 1 to ${maxBytes} bytes, found ${bytes.length}`);
  }
  return bytes;
}

/**
 * Whether `tpmtSignature` is this key's signature over `message` (the TPMS_ATTEST bytes). Scheme and hash are the key's
 * own: a key without a fixed signing scheme verifies nothing, so that whoever holds the signature cannot choose a
 * weaker one. What the message says, and what the key is, is for the caller to judge.
 *
 * @throws AshlarError `malformed` when the signature is not a TPMT_SIGNATURE, `invalid` when the public is no key.
 */
export function verifyQuoteSignature(tpmPublic: TpmPublic, message: Uint8Array, tpmtSignature: Uint8Array): boolean {
  const signature = parseSignature(tpmtSignature);
  const { scheme } = tpmPublic;
  if (signature.kind !== scheme.kind || signature.hash !== scheme.hash) return false;
  return signature.kind === "ecdsa"
    ? tpmPublic.type === "ecc" && verifyEcdsa(tpmPublic, message, signature)
    : tpmPublic.type === "rsa" && verifyRsa(tpmPublic, message, signature);
}

function verifyRsa(tpmPublic: RsaPublic, message: Uint8Array, { kind, hash, signature }: RsaSignature): boolean {
  const key = keyObjectOf(tpmPublic);
  if (kind === "rsassa") return verify(hash, message, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
  // The TPM's salt is as long as fits, or as long as the hash where FIPS 186 is followed (Part 1, B.7).
  const saltLength = constants.RSA_PSS_SALTLEN_AUTO;
  return verify(hash, message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature);
}

function verifyEcdsa(tpmPublic: EccPublic, message: Uint8Array, { hash, r, s }: EcdsaSignature): boolean {
  const sizeBytes = tpmPublic.x.length;
  if (r.length > sizeBytes || s.length > sizeBytes) return false;
  // In DER, OpenSSL's own form: a sixth less time than two numbers side by side.
  return verify(hash, message, keyObjectOf(tpmPublic), sequence(positiveInteger(r), positiveInteger(s)));
}
