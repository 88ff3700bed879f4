import { stat, type FileHandle } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import {
  upperVerityLevels,
  type VerityAlgorithm,
  verityLayout,
  type VeritySuperblock,
  writeVeritySuperblock,
} from "@ashlar/formats";
import { hashRanges } from "./hash-ranges.ts";
import { digestOfOnlyBlock } from "./only-block.ts";
import { openFile, openRegion, type OpenRegion, sizeOf } from "../region.ts";

export type FormatVerityOptions = {
  /** Path of the file to protect. */
  readonly data: string;
  /** Path of the file that gets superblock and hash tree; made if missing, written over if not. */
  readonly hash: string;
  readonly salt: Uint8Array;
  readonly uuid: string;
  /** Default: sha256. */
  readonly algorithm?: VerityAlgorithm;
  /** Default: 4096. */
  readonly dataBlockSizeBytes?: number;
  /** Default: 4096. */
  readonly hashBlockSizeBytes?: number;
  readonly threads?: number;
  readonly onProgress?: (doneFraction: number) => void;
};

export type FormattedVerity = {
  readonly superblock: VeritySuperblock;
  /** In hexadecimal digits. */
  readonly rootHash: string;
  /** Blocks of the hash tree, without the superblock. */
  readonly hashBlocks: number;
  /** Superblock and hash tree. */
  readonly hashSizeBytes: number;
  /** Bytes at the end of the data that are less than a block: the tree does not cover them. */
  readonly uncoveredBytes: number;
};

const DEFAULT_BLOCK_BYTES = 4096;

/**
 * Writes the dm-verity superblock and hash tree of a file, byte for byte as `veritysetup format` does: a last part of
 * less than a block is left out, and a longer hash file keeps what stands after the tree.
 *
 * @throws AshlarError `not-found` or `invalid` (files, sizes, parameters)
 */
export async function formatVerity(options: FormatVerityOptions): Promise<FormattedVerity> {
  const dataBlockSizeBytes = options.dataBlockSizeBytes ?? DEFAULT_BLOCK_BYTES;
  const data = await openRegion({ path: options.data });
  await using _dataHandle = data.handle;
  if (data.sizeBytes < dataBlockSizeBytes) {
    throw new AshlarError(
      "invalid",
      `${options.data}: expected at least one block of ${dataBlockSizeBytes} bytes, found ${data.sizeBytes} bytes`,
    );
  }
  const superblock: VeritySuperblock = {
    algorithm: options.algorithm ?? "sha256",
    salt: options.salt,
    uuid: options.uuid,
    dataBlocks: Math.floor(data.sizeBytes / dataBlockSizeBytes),
    dataBlockSizeBytes,
    hashBlockSizeBytes: options.hashBlockSizeBytes ?? DEFAULT_BLOCK_BYTES,
  };
  const layout = verityLayout(superblock);
  const header = writeVeritySuperblock(superblock);
  await using hash = await openHashFile(options.hash, data.handle);
  await makeRoom(options.hash, hash, layout.hashSizeBytes);
  const digests = await lowestDigests(superblock, data, hash, options);
  const { levels, rootHash } = upperVerityLevels(superblock, digests);
  for (const [index, level] of levels.entries()) {
    await writeAll(hash, level, layout.levels[index + 1]?.offsetBytes ?? 0);
  }
  await writeAll(hash, header, 0);
  return {
    superblock,
    rootHash: Buffer.from(rootHash).toString("hex"),
    hashBlocks: layout.levels.reduce((sum, level) => sum + level.blocks, 0),
    hashSizeBytes: layout.hashSizeBytes,
    uncoveredBytes: data.sizeBytes % dataBlockSizeBytes,
  };
}

async function lowestDigests(
  superblock: VeritySuperblock,
  data: OpenRegion,
  hash: FileHandle,
  options: FormatVerityOptions,
): Promise<Uint8Array> {
  if (superblock.dataBlocks === 1) return await digestOfOnlyBlock(superblock, data);
  const { digests } = await hashRanges({
    mode: "format",
    parameters: superblock,
    dataFile: data.handle.fd,
    dataOffsetBytes: 0,
    hashFile: hash.fd,
    hashOffsetBytes: 0,
    threads: options.threads,
    onProgress: options.onProgress,
  });
  return digests;
}

/** Opens or makes the hash file, and refuses to write over the data. */
async function openHashFile(path: string, data: FileHandle): Promise<FileHandle> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  const hash = await openFile(path, exists ? "r+" : "w+");
  const [ownStat, dataStat] = [await hash.stat(), await data.stat()];
  const isSame = ownStat.isBlockDevice() ? ownStat.rdev === dataStat.rdev : ownStat.ino === dataStat.ino;
  if (!isSame || ownStat.dev !== dataStat.dev) return hash;
  await hash.close();
  throw new AshlarError("invalid", `${path}: expected another file than the data`);
}

/** A file grows to what is needed; a block device has its size. */
async function makeRoom(path: string, hash: FileHandle, sizeBytes: number): Promise<void> {
  const available = await sizeOf(hash);
  if (available >= sizeBytes) return;
  if ((await hash.stat()).isFile()) await hash.truncate(sizeBytes);
  else throw new AshlarError("invalid", `${path}: expected room for ${sizeBytes} bytes, found ${available}`);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offsetBytes: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += (await file.write(bytes, done, bytes.length - done, offsetBytes + done)).bytesWritten;
  }
}
