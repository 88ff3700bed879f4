import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { uuidFromBytes, uuidToBytes } from "../gpt/guid.ts";
import { DIGEST_BYTES, isVerityAlgorithm, type VerityAlgorithm } from "./algorithm.ts";

/** What defines a hash tree, apart from the data. */
export type VerityParameters = {
  readonly algorithm: VerityAlgorithm;
  /** Hashed before each block. */
  readonly salt: Uint8Array;
  readonly dataBlocks: number;
  readonly dataBlockSizeBytes: number;
  readonly hashBlockSizeBytes: number;
};

/** The header of a dm-verity hash device. */
export type VeritySuperblock = VerityParameters & { readonly uuid: string };

export const SUPERBLOCK_BYTES = 512;
export const MAX_SALT_BYTES = 256;
/** 1 TiB of 4 KiB blocks. The digests of the lowest level's hash blocks are held in memory: then 64 MiB of SHA-256. */
export const MAX_DATA_BLOCKS: number = 2 ** 28;
const MIN_BLOCK_BYTES = 512;
const MAX_BLOCK_BYTES = 512 * 1024;
const SIGNATURE = "verity\0\0";
const VERSION = 1;
/** Type 1, "normal": the salt stands before the block. Type 0 is Chrome OS's. */
const HASH_TYPE = 1;
const ALGORITHM_BYTES = 32;

/**
 * Serialises the superblock (cryptsetup's "DMVerity" specification, "Verity superblock format").
 *
 * @throws AshlarError `invalid` when a parameter is out of its range
 */
export function writeVeritySuperblock(superblock: VeritySuperblock): Uint8Array {
  checkVerityParameters(superblock);
  const bytes = Buffer.alloc(SUPERBLOCK_BYTES);
  bytes.write(SIGNATURE, 0, "latin1");
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(HASH_TYPE, 12);
  bytes.set(uuidToBytes(superblock.uuid), 16);
  bytes.write(superblock.algorithm, 32, "latin1");
  bytes.writeUInt32LE(superblock.dataBlockSizeBytes, 64);
  bytes.writeUInt32LE(superblock.hashBlockSizeBytes, 68);
  bytes.writeBigUInt64LE(BigInt(superblock.dataBlocks), 72);
  bytes.writeUInt16LE(superblock.salt.length, 80);
  bytes.set(superblock.salt, 88);
  return new Uint8Array(bytes);
}

/**
 * Parses the superblock: exactly 512 bytes.
 *
 * @throws AshlarError `malformed`, or `invalid` when a parameter is out of its range
 */
export function parseVeritySuperblock(bytes: Uint8Array): VeritySuperblock {
  const reader: ByteReader = new ByteReader(bytes, "verity superblock", "little-endian");
  const signature = Buffer.from(reader.bytes(8, "signature")).toString("latin1");
  if (signature !== SIGNATURE) reader.fail("signature: expected verity");
  const version = reader.u32("version");
  if (version !== VERSION) reader.fail(`version: expected ${VERSION}, found ${version}`);
  const hashType = reader.u32("hash type");
  if (hashType !== HASH_TYPE) reader.fail(`hash type: expected ${HASH_TYPE} (normal), found ${hashType}`);
  const uuid = uuidFromBytes(reader.bytes(16, "UUID"));
  const algorithm = Buffer.from(reader.bytes(ALGORITHM_BYTES, "algorithm")).toString("latin1").replace(/\0+$/u, "");
  if (!isVerityAlgorithm(algorithm)) {
    reader.fail(
      `algorithm: expected one of ${Object.keys(DIGEST_BYTES).join(", ")}, found ${JSON.stringify(algorithm)}`,
    );
  }
  const dataBlockSizeBytes = reader.u32("data block size");
  const hashBlockSizeBytes = reader.u32("hash block size");
  const dataBlocks = Number(reader.u64("data blocks"));
  const saltSize = reader.u16("salt size");
  if (saltSize > MAX_SALT_BYTES) reader.fail(`salt size: expected at most ${MAX_SALT_BYTES}, found ${saltSize}`);
  const isPadded = isZero(reader.bytes(6, "padding"));
  const saltField = reader.bytes(MAX_SALT_BYTES, "salt");
  const salt = new Uint8Array(saltField.subarray(0, saltSize));
  if (!isPadded || !isZero(saltField.subarray(saltSize)) || !isZero(reader.bytes(168, "padding"))) {
    reader.fail("padding: expected zeros");
  }
  reader.end();
  const superblock = { uuid, algorithm, dataBlockSizeBytes, hashBlockSizeBytes, dataBlocks, salt };
  checkVerityParameters(superblock);
  return superblock;
}

/** @throws AshlarError `invalid` when a parameter is out of its range */
export function checkVerityParameters(parameters: VerityParameters): void {
  const { salt, dataBlocks } = parameters;
  for (const name of ["dataBlockSizeBytes", "hashBlockSizeBytes"] as const) {
    const size = parameters[name];
    if (size < MIN_BLOCK_BYTES || size > MAX_BLOCK_BYTES || !Number.isInteger(Math.log2(size))) {
      const kind = name === "dataBlockSizeBytes" ? "data" : "hash";
      invalid(
        `${kind} block size: expected a power of two from ${MIN_BLOCK_BYTES} to ${MAX_BLOCK_BYTES}, found ${size}`,
      );
    }
  }
  if (salt.length > MAX_SALT_BYTES) invalid(`salt: expected at most ${MAX_SALT_BYTES} bytes, found ${salt.length}`);
  if (!Number.isInteger(dataBlocks) || dataBlocks < 1 || dataBlocks > MAX_DATA_BLOCKS) {
    invalid(`data: expected 1 to ${MAX_DATA_BLOCKS} blocks, found ${dataBlocks}`);
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function invalid(message: string): never {
  throw new AshlarError("invalid", `dm-verity: ${message}`);
}
