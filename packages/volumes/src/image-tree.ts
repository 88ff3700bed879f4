/**
 * The hash tree over a whole image file, by which it is published and fetched in blocks. Of a usr image that is its
 * dm-verity tree. An extension's image holds a dm-verity tree of its content, but what is fetched is the file: so the tree
 * over it is made from the file, without a salt, for equal blocks of two images must have equal digests.
 */
import { hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import {
  type BlockHasher,
  createBlockHasher,
  hashBlockDigests,
  parseVeritySuperblock,
  SUPERBLOCK_BYTES,
  upperVerityLevels,
  type VerityParameters,
  verityLayout,
} from "@ashlar/formats";
import { readAhead } from "@ashlar/host";
import { BLOCK_BYTES, DIGEST_BYTES, leavesOf } from "@ashlar/repository-index";
import { readBlocks } from "./block-files.ts";

export type ImageTree = {
  readonly parameters: VerityParameters;
  /** The lowest level: the digests of the data blocks, in whole blocks. */
  readonly leaves: Uint8Array;
};

/** Read and hashed at once; what `readv` accepts is 1,024. */
export const BATCH_BLOCKS = 256;

/** Of the tree over an extension's image. */
export function imageTreeParameters(sizeBytes: number): VerityParameters {
  return {
    algorithm: "sha256",
    salt: new Uint8Array(),
    dataBlocks: sizeBytes / BLOCK_BYTES,
    dataBlockSizeBytes: BLOCK_BYTES,
    hashBlockSizeBytes: BLOCK_BYTES,
  };
}

export function rootHashOfTree({ parameters, leaves }: ImageTree): string {
  const { rootHash } = upperVerityLevels(parameters, hashBlockDigests(parameters, leaves));
  return Buffer.from(rootHash).toString("hex");
}

/**
 * Makes the tree over an extension's image.
 *
 * @throws AshlarError `limit` for one that is not 2 to 2^20 blocks, `interrupted`
 */
export async function hashImage(file: FileHandle, signal: AbortSignal | undefined): Promise<ImageTree> {
  const { size } = await file.stat();
  const parameters = imageTreeParameters(size);
  const leaves = Buffer.from(new ArrayBuffer(leavesOf(parameters.dataBlocks) * BLOCK_BYTES));
  for await (const { first, digests } of digestBatches(file, parameters, parameters.dataBlocks, signal)) {
    leaves.set(digests, first * DIGEST_BYTES);
  }
  return { parameters, leaves };
}

/**
 * The digests of a file's first blocks, a batch after the other, each in the memory of the one before. A block that the
 * disk cannot give has some other digest.
 */
export async function* digestBatches(
  file: FileHandle,
  { algorithm, salt }: VerityParameters,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly first: number; readonly count: number; readonly digests: Buffer }> {
  const sizes = { blockSizeBytes: BLOCK_BYTES, digestSlotBytes: DIGEST_BYTES, capacity: BATCH_BLOCKS };
  const newHasher = (): BlockHasher => createBlockHasher(hash, { algorithm, salt, ...sizes });
  const hashers = [newHasher(), newHasher()] as const;
  const digests = Buffer.alloc(BATCH_BLOCKS * DIGEST_BYTES);
  const firsts = Array.from({ length: Math.ceil(end / BATCH_BLOCKS) }, (_, batch) => batch * BATCH_BLOCKS);
  const batches = readAhead(firsts, async (first, turn) => {
    if (signal?.aborted === true) throw new AshlarError("interrupted", "reading the image was interrupted");
    const [count, hasher] = [Math.min(BATCH_BLOCKS, end - first), hashers[turn]];
    await readBlocks(file, first, hasher.blocks.slice(0, count));
    return { first, count, hasher };
  });
  for await (const { first, count, hasher } of batches) {
    hasher.digest(count, digests, 0);
    yield { first, count, digests: digests.subarray(0, count * DIGEST_BYTES) };
  }
}

/**
 * Takes the lowest level from a dm-verity superblock and hash tree.
 *
 * @throws AshlarError `malformed`, `limit` or `invalid`
 */
export async function readTree(path: string): Promise<ImageTree> {
  await using tree = await open(path, "r");
  const superblock = parseVeritySuperblock(await readExactly(tree, 0, SUPERBLOCK_BYTES));
  const { algorithm, dataBlockSizeBytes, hashBlockSizeBytes, dataBlocks } = superblock;
  if (algorithm !== "sha256" || dataBlockSizeBytes !== BLOCK_BYTES || hashBlockSizeBytes !== BLOCK_BYTES) {
    throw new AshlarError(
      "invalid",
      `${path}: expected a tree of SHA-256 over blocks of ${BLOCK_BYTES} bytes, ` +
        `found ${algorithm} over ${dataBlockSizeBytes} in ${hashBlockSizeBytes}`,
    );
  }
  leavesOf(dataBlocks);
  const [lowest] = verityLayout(superblock).levels;
  if (lowest === undefined) throw new RangeError("a tree over two blocks or more has a level");
  const leaves = await readExactly(tree, lowest.offsetBytes, lowest.offsetBytes + lowest.blocks * BLOCK_BYTES);
  return { parameters: superblock, leaves };
}

export async function readExactly(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
  if (bytesRead === bytes.length) return bytes;
  throw new AshlarError("invalid", `expected ${end} bytes to read, found ${start + bytesRead}`);
}
