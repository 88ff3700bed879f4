import { ByteReader } from "../byte-reader.ts";
import { type HashName, hashNameOf, hashSizeBytes, hex16, MAX_DIGEST_BYTES } from "./hash-algorithm.ts";
import { type PcrSelection, readPcrSelections } from "./pcr-selection.ts";

/**
 * What a TPM says in a quote (TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE, TPM 2.0 Library Part 2, 10.12).
 * It is only a claim until the signature over the same bytes is verified.
 */
export type Attest = {
  /** The signing key's name within its hierarchy (a digest over its ancestors' names), TPMU_NAME bytes. */
  readonly qualifiedSigner: Uint8Array;
  /** The caller's qualifying data: at most 66 bytes. */
  readonly extraData: Uint8Array;
  /** Milliseconds that the TPM was powered since it was last cleared. */
  readonly clock: bigint;
  /** Changes at each TPM reset: one boot has one pair of `resetCount` and `restartCount`. */
  readonly resetCount: number;
  readonly restartCount: number;
  /** False when the TPM lost power without shutdown, so that `clock` may have been seen before. */
  readonly safe: boolean;
  readonly firmwareVersion: bigint;
  readonly selections: readonly PcrSelection[];
  /** H(the selected PCRs), see `pcrDigestOf`; the hash is that of the signing scheme. */
  readonly pcrDigest: Uint8Array;
};

/** Part 2, 6.2: "TCG" after 0xff: a restricted key never signs outside data that starts with it. */
const GENERATED = 0xff54_4347;
/** Part 2, 6.9, TPM_ST. */
const ATTEST_QUOTE = 0x8018;
/** Part 2, 10.4.3: TPM2B_DATA holds at most a TPMT_HA: an algorithm and a digest. */
const MAX_DATA_BYTES = 2 + MAX_DIGEST_BYTES;

/** Parses a quote's TPMS_ATTEST, which is what tpm2_quote writes with `--message`. */
export function parseAttest(bytes: Uint8Array): Attest {
  const reader = new ByteReader(bytes, "TPMS_ATTEST", "big-endian");
  const magic = reader.u32("magic");
  if (magic !== GENERATED) reader.fail(`magic: expected 0xff544347, found 0x${magic.toString(16)}`);
  const type = reader.u16("type");
  if (type !== ATTEST_QUOTE) reader.fail(`type: expected a quote (0x8018), found ${hex16(type)}`);
  const qualifiedSigner = readName(reader);
  const extraData = reader.sized16("extraData");
  if (extraData.length > MAX_DATA_BYTES) {
    reader.fail(`extraData: expected at most ${MAX_DATA_BYTES} bytes, found ${extraData.length}`);
  }
  const clock = reader.u64("clockInfo.clock");
  const resetCount = reader.u32("clockInfo.resetCount");
  const restartCount = reader.u32("clockInfo.restartCount");
  const safe = reader.u8("clockInfo.safe");
  if (safe > 1) reader.fail(`clockInfo.safe: expected 0 or 1, found ${safe}`);
  const firmwareVersion = reader.u64("firmwareVersion");
  const selections = readPcrSelections(reader);
  const pcrDigest = reader.sized16("pcrDigest");
  if (!isDigestSize(pcrDigest.length)) reader.fail(`pcrDigest: ${pcrDigest.length} bytes is not a digest's size`);
  reader.end();
  return {
    qualifiedSigner,
    extraData,
    clock,
    resetCount,
    restartCount,
    safe: safe === 1,
    firmwareVersion,
    selections,
    pcrDigest,
  };
}

/** TPM2B_NAME: of a key always an algorithm and a digest of its size (Part 1, 16). */
function readName(reader: ByteReader): Uint8Array {
  const name = reader.sized16("qualifiedSigner");
  const algorithm = name.length < 2 ? undefined : hashNameOf(((name[0] ?? 0) << 8) | (name[1] ?? 0));
  if (algorithm === undefined || name.length !== 2 + hashSizeBytes(algorithm)) {
    reader.fail(`qualifiedSigner: expected an algorithm and its digest, found ${name.length} bytes`);
  }
  return name;
}

const DIGEST_HASHES: readonly HashName[] = ["sha1", "sha256", "sha384", "sha512"];

function isDigestSize(sizeBytes: number): boolean {
  return DIGEST_HASHES.some((name) => hashSizeBytes(name) === sizeBytes);
}
