import { ByteReader } from "../byte-reader.ts";
import { type HashName, hashSizeBytes, hex16, readHash, readStrongHash } from "./hash-algorithm.ts";

/** The public part of an asymmetric TPM object (TPMT_PUBLIC, TPM 2.0 Library Part 2, 12.2.4). */
export type TpmPublic = RsaPublic | EccPublic;

type PublicFields = {
  /** The hash of the object's name. */
  readonly nameAlgorithm: HashName;
  /** TPMA_OBJECT as its 32 bits; see {@link objectAttributeNames}. */
  readonly attributes: number;
  /** Empty, or a digest of `nameAlgorithm`. */
  readonly authPolicy: Uint8Array;
  /** The cipher by which a storage key (such as an EK) protects its children; undefined for every other key. */
  readonly symmetric: SymmetricCipher | undefined;
  readonly scheme: AsymmetricScheme;
  /** The TPMT_PUBLIC bytes as they were read: the object's name is computed over exactly these. */
  readonly area: Uint8Array;
};

export type RsaPublic = PublicFields & {
  readonly type: "rsa";
  readonly exponent: number;
  /** Big-endian, 2048, 3072 or 4096 bits, without leading zeros. */
  readonly modulus: Uint8Array;
};

export type EccPublic = PublicFields & {
  readonly type: "ecc";
  readonly curve: CurveName;
  /** Big-endian, padded with zeros to the curve's size. Whether the point is on the curve is checked on use. */
  readonly x: Uint8Array;
  readonly y: Uint8Array;
};

export type CurveName = "P-256" | "P-384" | "P-521";
export type SymmetricCipher = { readonly algorithm: "aes"; readonly keyBits: 128 | 192 | 256; readonly mode: "cfb" };
export type AsymmetricScheme =
  | { readonly kind: "null" }
  | { readonly kind: "rsaes" }
  | { readonly kind: "rsassa" | "rsapss" | "oaep" | "ecdsa" | "ecdh"; readonly hash: HashName };

/** TPM 2.0 Library Part 2, 6.3, TPM_ALG_ID. */
const ALG_RSA = 0x0001;
const ALG_AES = 0x0006;
const ALG_NULL = 0x0010;
const ALG_RSAES = 0x0015;
const ALG_ECC = 0x0023;
const ALG_CFB = 0x0043;

const RSA_SCHEMES: ReadonlyMap<number, "rsassa" | "rsapss" | "oaep"> = new Map([
  [0x0014, "rsassa"],
  [0x0016, "rsapss"],
  [0x0017, "oaep"],
]);
const ECC_SCHEMES: ReadonlyMap<number, "ecdsa" | "ecdh"> = new Map([
  [0x0018, "ecdsa"],
  [0x0019, "ecdh"],
]);
/** MGF1, KDF1_SP800_56A, KDF2, KDF1_SP800_108. */
const KEY_DERIVATIONS: ReadonlySet<number> = new Set([0x0007, 0x0020, 0x0021, 0x0022]);

/** Part 2, 6.4, TPM_ECC_CURVE. */
const CURVES: ReadonlyMap<number, CurveName> = new Map([
  [0x0003, "P-256"],
  [0x0004, "P-384"],
  [0x0005, "P-521"],
]);
const COORDINATE_BYTES: Readonly<Record<CurveName, number>> = { "P-256": 32, "P-384": 48, "P-521": 66 };
const RSA_KEY_BITS: ReadonlySet<number> = new Set([2048, 3072, 4096]);
const DEFAULT_EXPONENT = 65_537;

/** Parses a TPM2B_PUBLIC: a size and a TPMT_PUBLIC, nothing after it. */
export function parsePublic(tpm2bPublic: Uint8Array): TpmPublic {
  const reader = new ByteReader(tpm2bPublic, "TPM2B_PUBLIC", "big-endian");
  const area = reader.sized16("publicArea");
  reader.end();
  return parsePublicArea(area);
}

/**
 * Parses a TPMT_PUBLIC of an RSA or ECC key.
 *
 * @throws AshlarError `malformed`, also for algorithms and key sizes that no attestation or endorsement key has.
 */
export function parsePublicArea(area: Uint8Array): TpmPublic {
  const reader = new ByteReader(area, "TPMT_PUBLIC", "big-endian");
  const type = reader.u16("type");
  if (type !== ALG_RSA && type !== ALG_ECC) reader.fail(`type: expected RSA or ECC, found ${hex16(type)}`);
  const nameAlgorithm = readStrongHash(reader, "nameAlg");
  const attributes = reader.u32("objectAttributes");
  const authPolicy = reader.sized16("authPolicy");
  if (authPolicy.length !== 0 && authPolicy.length !== hashSizeBytes(nameAlgorithm)) {
    reader.fail(`authPolicy: expected no bytes or a ${nameAlgorithm} digest, found ${authPolicy.length} bytes`);
  }
  const symmetric = readSymmetric(reader);
  const shared = { nameAlgorithm, attributes, authPolicy, symmetric, area };
  const result = type === ALG_RSA ? readRsa(reader, shared) : readEcc(reader, shared);
  reader.end();
  return result;
}

/** TPMS_RSA_PARMS after its symmetric part (Part 2, 12.2.3.5), then TPM2B_PUBLIC_KEY_RSA. */
function readRsa(reader: ByteReader, shared: Omit<PublicFields, "scheme">): RsaPublic {
  const scheme = readScheme(reader, RSA_SCHEMES, true);
  const keyBits = reader.u16("keyBits");
  if (!RSA_KEY_BITS.has(keyBits)) reader.fail(`keyBits: expected 2048, 3072 or 4096, found ${keyBits}`);
  const exponent = reader.u32("exponent") || DEFAULT_EXPONENT;
  // Small exponents make forgery easier, and an even one is no RSA key at all.
  if (exponent < DEFAULT_EXPONENT || exponent % 2 === 0) {
    reader.fail(`exponent: expected 0 or an odd number from 65537, found ${exponent}`);
  }
  const modulus = reader.sized16("unique.rsa");
  if (modulus.length !== keyBits / 8) {
    reader.fail(`unique.rsa: expected ${keyBits / 8} bytes, found ${modulus.length}`);
  }
  if ((modulus[0] ?? 0) < 0x80 || (modulus.at(-1) ?? 0) % 2 === 0) {
    reader.fail(`unique.rsa: expected an odd number of ${keyBits} bits`);
  }
  return { ...shared, type: "rsa", scheme, exponent, modulus };
}

/** TPMS_ECC_PARMS after its symmetric part (Part 2, 12.2.3.6), then TPMS_ECC_POINT. */
function readEcc(reader: ByteReader, shared: Omit<PublicFields, "scheme">): EccPublic {
  const scheme = readScheme(reader, ECC_SCHEMES, false);
  const curveId = reader.u16("curveID");
  const curve = CURVES.get(curveId) ?? reader.fail(`curveID: expected a NIST P curve, found ${hex16(curveId)}`);
  // No command uses this scheme (Part 2, 12.2.3.6), so that it is only checked.
  const kdf = reader.u16("kdf");
  if (KEY_DERIVATIONS.has(kdf)) readHash(reader, "kdf.hashAlg");
  else if (kdf !== ALG_NULL) reader.fail(`kdf: expected TPM_ALG_NULL or a key derivation, found ${hex16(kdf)}`);
  const x = readCoordinate(reader, curve, "unique.ecc.x");
  const y = readCoordinate(reader, curve, "unique.ecc.y");
  return { ...shared, type: "ecc", scheme, curve, x, y };
}

function readCoordinate(reader: ByteReader, curve: CurveName, field: string): Uint8Array {
  const bytes = reader.sized16(field);
  const sizeBytes = COORDINATE_BYTES[curve];
  if (bytes.length === 0 || bytes.length > sizeBytes) {
    reader.fail(`${field}: expected 1 to ${sizeBytes} bytes, found ${bytes.length}`);
  }
  return leftPad(bytes, sizeBytes);
}

/** TPMT_SYM_DEF_OBJECT (Part 2, 11.1.7). */
function readSymmetric(reader: ByteReader): SymmetricCipher | undefined {
  const algorithm = reader.u16("symmetric");
  if (algorithm === ALG_NULL) return undefined;
  if (algorithm !== ALG_AES) reader.fail(`symmetric: expected AES or TPM_ALG_NULL, found ${hex16(algorithm)}`);
  const keyBits = reader.u16("symmetric.keyBits");
  if (keyBits !== 128 && keyBits !== 192 && keyBits !== 256) {
    reader.fail(`symmetric.keyBits: expected 128, 192 or 256, found ${keyBits}`);
  }
  const mode = reader.u16("symmetric.mode");
  if (mode !== ALG_CFB) reader.fail(`symmetric.mode: expected CFB, found ${hex16(mode)}`);
  return { algorithm: "aes", keyBits, mode: "cfb" };
}

/** TPMT_RSA_SCHEME or TPMT_ECC_SCHEME (Part 2, 11.2.4.2 and 11.2.5.6). */
function readScheme(
  reader: ByteReader,
  kinds: ReadonlyMap<number, "rsassa" | "rsapss" | "oaep" | "ecdsa" | "ecdh">,
  rsaesAllowed: boolean,
): AsymmetricScheme {
  const id = reader.u16("scheme");
  if (id === ALG_NULL) return { kind: "null" };
  if (id === ALG_RSAES && rsaesAllowed) return { kind: "rsaes" };
  const kind = kinds.get(id) ?? reader.fail(`scheme: ${hex16(id)} is not one that Ashlar knows for this type of key`);
  return { kind, hash: readStrongHash(reader, "scheme.hashAlg") };
}

/** Fixed-size big-endian number; `bytes` is at most `sizeBytes` long. */
function leftPad(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  if (bytes.length === sizeBytes) return bytes;
  const padded = new Uint8Array(sizeBytes);
  padded.set(bytes, sizeBytes - bytes.length);
  return padded;
}
