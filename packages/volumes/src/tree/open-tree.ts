import type { FileHandle } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import {
  hashBlockDigests,
  parseVeritySuperblock,
  SUPERBLOCK_BYTES,
  type VerityLayout,
  verityLayout,
  type VeritySuperblock,
} from "@ashlar/formats";
import { openRegion, type OpenRegion, readRegion, type Region } from "../region.ts";

/** A dm-verity superblock and hash tree, open for reading. Nothing of the tree has been compared yet. */
export type OpenTree = {
  readonly path: string;
  readonly superblock: VeritySuperblock;
  readonly layout: VerityLayout;
  readonly region: OpenRegion;
  /** To be closed by whoever opened it. */
  readonly handle: FileHandle;
};

/**
 * Opens a hash tree of which the file holds at least as much as its superblock states.
 *
 * @throws AshlarError `not-found`, `malformed`, `invalid`; `failed` when the disk cannot be read
 */
export async function openTree(hash: Region): Promise<OpenTree> {
  const { path } = hash;
  const region = await openRegion(hash);
  try {
    const superblock = parseVeritySuperblock(await readRegion(region, 0, Math.min(SUPERBLOCK_BYTES, region.sizeBytes)));
    const layout = verityLayout(superblock);
    expectSize(path, region.sizeBytes, layout.hashSizeBytes);
    return { path, superblock, layout, region, handle: region.handle };
  } catch (error) {
    await region.handle.close();
    throw error;
  }
}

/** @throws AshlarError `invalid` when a file does not hold what its superblock states */
export function expectSize(path: string, found: number, expected: number): void {
  if (found >= expected) return;
  throw new AshlarError(
    "invalid",
    `${path}: expected at least the ${expected} bytes that the superblock states, found ${found}`,
  );
}

/**
 * Reads the lowest level: the digests of the data blocks, in whole hash blocks. The tree must have a level: there are two
 * data blocks or more.
 *
 * @throws AshlarError `limit`, `failed`
 */
export async function readLowestLevel(tree: OpenTree, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  const { path, region, superblock, layout } = tree;
  const [lowest] = layout.levels;
  const sizeBytes = (lowest?.blocks ?? 0) * superblock.hashBlockSizeBytes;
  if (lowest === undefined || sizeBytes > maxBytes) {
    throw new AshlarError("limit", `${path}: expected 1 to ${maxBytes} bytes of digests, found ${sizeBytes}`);
  }
  return await readRegion(region, lowest.offsetBytes, sizeBytes);
}

export type UpperLevelsCheck = {
  /** Where hash blocks stand that are not as the block above says, from the top down: a few of each level. */
  readonly badOffsets: readonly number[];
  /** What the topmost block hashes to, in hexadecimal digits. */
  readonly rootHash: string;
};

const MAX_BAD_BLOCKS_OF_LEVEL = 16;

/**
 * Compares each level with the digests of the level below it.
 *
 * @param lowestDigests of the lowest level's hash blocks, one per slot; without levels, of the only data block
 */
export async function checkUpperLevels(tree: OpenTree, lowestDigests: Uint8Array): Promise<UpperLevelsCheck> {
  const { superblock, layout, region } = tree;
  const { levels, digestSlotBytes, digestBytes } = layout;
  const badOffsets: number[] = [];
  let digests = lowestDigests;
  for (const [index, level] of levels.entries()) {
    if (index === 0) continue;
    const stored = await readRegion(region, level.offsetBytes, level.blocks * superblock.hashBlockSizeBytes);
    const below = levels[index - 1] ?? level;
    const bad: number[] = [];
    for (let child = 0; child < below.blocks && bad.length < MAX_BAD_BLOCKS_OF_LEVEL; child++) {
      const [start, end] = [child * digestSlotBytes, child * digestSlotBytes + digestBytes];
      if (stored.subarray(start, end).equals(digests.subarray(start, end))) continue;
      bad.push(below.offsetBytes + child * superblock.hashBlockSizeBytes);
    }
    badOffsets.unshift(...bad);
    digests = hashBlockDigests(superblock, stored);
  }
  return { badOffsets, rootHash: Buffer.from(digests.subarray(0, digestBytes)).toString("hex") };
}
