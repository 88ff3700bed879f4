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
  type VerityLayout,
  verityLayout,
  type VeritySuperblock,
} from "@ashlar/formats";
import { readAhead } from "@ashlar/host";
import { deviceSize, readExactly, readInto } from "./read-device.ts";

/** A hash tree that holds together, up to its root hash. */
export type Tree = {
  /** In hexadecimal. */
  readonly rootHash: string;
  readonly superblock: VeritySuperblock;
  readonly layout: VerityLayout;
  /** The lowest level: the digests of the data blocks. */
  readonly lowest: Buffer;
};

export type SlotFindings = {
  /** Null when there is no tree, or it does not hold together: then nothing can be said about the blocks. */
  readonly rootHash: string | null;
  readonly badBlockCount: number;
  /** The first of them, in ascending order. */
  readonly badBlocks: readonly number[];
};

/** 1.4 MB for today's /usr; 64 MiB of tree stand for 8 GiB of data. */
const MAX_LOWEST_BYTES: number = 64 * 1024 * 1024;
const MAX_NAMED_BLOCKS = 1024;
/** Data read at once. */
const BATCH_BLOCKS = 128;

/**
 * Reads a hash tree and computes its root hash from the lowest level up. Undefined when there is none on the device, or
 * when its levels do not agree with each other.
 *
 * @throws AshlarError `limit`, `failed` when the device cannot be read
 */
export async function readTree(treePath: string): Promise<Tree | undefined> {
  await using device = await open(treePath, "r");
  const superblock = await readSuperblock(device);
  if (superblock === undefined) return undefined;
  const layout = verityLayout(superblock);
  if (layout.hashSizeBytes > (await deviceSize(device))) return undefined;
  const { levels } = layout;
  const [bottom] = levels;
  const { hashBlockSizeBytes } = superblock;
  // One data block is its own tree: no release is that small.
  if (bottom === undefined) return undefined;
  const lowestBytes = bottom.blocks * hashBlockSizeBytes;
  if (lowestBytes > MAX_LOWEST_BYTES) {
    throw new AshlarError(
      "limit",
      `${treePath}: expected at most ${MAX_LOWEST_BYTES} bytes of digests, found ${lowestBytes}`,
    );
  }
  const lowest = await readExactly(device, bottom.offsetBytes, lowestBytes);
  const upper = upperVerityLevels(superblock, hashBlockDigests(superblock, lowest));
  for (const [index, level] of upper.levels.entries()) {
    const offsetBytes = levels[index + 1]?.offsetBytes ?? 0;
    const stored = await readExactly(device, offsetBytes, level.length);
    if (!stored.equals(level)) return undefined;
  }
  return { rootHash: Buffer.from(upper.rootHash).toString("hex"), superblock, layout, lowest };
}

/**
 * Reads every block of a slot and compares it with the slot's tree.
 *
 * @param good 1 for blocks that were found good just now and need not be read again
 * @throws AshlarError `interrupted`, `limit`, `not-found`
 */
export async function verifySlot(
  slot: { readonly dataPath: string; readonly treePath: string },
  signal?: AbortSignal,
  good?: Uint8Array,
): Promise<SlotFindings> {
  const tree = await readTree(slot.treePath);
  if (tree === undefined) return { rootHash: null, badBlockCount: 0, badBlocks: [] };
  const { superblock, layout, rootHash } = tree;
  await using device = await open(slot.dataPath, "r");
  const createHasher = (): BlockHasher =>
    createBlockHasher(hash, {
      algorithm: superblock.algorithm,
      salt: superblock.salt,
      blockSizeBytes: superblock.dataBlockSizeBytes,
      digestSlotBytes: layout.digestSlotBytes,
      capacity: BATCH_BLOCKS,
    });
  const hashers = [createHasher(), createHasher()] as const;
  const batches = readAhead(batchesOf(superblock.dataBlocks, good), async ({ first, count }, turn) => {
    if (signal?.aborted === true) throw new AshlarError("interrupted", "interrupted while reading a slot");
    const hasher = hashers[turn];
    const unreadable = await readBlocks(device, hasher, superblock.dataBlockSizeBytes, first, count);
    return { first, count, hasher, unreadable };
  });
  const badBlocks: number[] = [];
  let badBlockCount = 0;
  for await (const batch of batches) {
    for (const block of findBadBlocks(tree, batch)) {
      badBlockCount += 1;
      if (badBlocks.length < MAX_NAMED_BLOCKS) badBlocks.push(block);
    }
  }
  return { rootHash, badBlockCount, badBlocks };
}

async function readSuperblock(device: FileHandle): Promise<VeritySuperblock | undefined> {
  const bytes = await readExactly(device, 0, SUPERBLOCK_BYTES);
  try {
    return parseVeritySuperblock(bytes);
  } catch (error) {
    if (error instanceof AshlarError) return undefined;
    throw error;
  }
}

type Batch = { readonly first: number; readonly count: number };

function* batchesOf(blocks: number, good: Uint8Array | undefined): Generator<Batch> {
  for (let first = 0; first < blocks; first += BATCH_BLOCKS) {
    const count = Math.min(BATCH_BLOCKS, blocks - first);
    const isKnown =
      good !== undefined && good.length >= first + count && !good.subarray(first, first + count).includes(0);
    if (!isKnown) yield { first, count };
  }
}

/** Of blocks that the hasher holds. */
function findBadBlocks(
  { layout, lowest }: Tree,
  { first, count, hasher, unreadable }: Batch & { readonly hasher: BlockHasher; readonly unreadable: Set<number> },
): number[] {
  const digests = Buffer.alloc(count * layout.digestSlotBytes);
  hasher.digest(count, digests, 0);
  const wanted = lowest.subarray(first * layout.digestSlotBytes, (first + count) * layout.digestSlotBytes);
  // Nearly always: and looking at each takes longer than hashing it where JavaScript is interpreted.
  if (unreadable.size === 0 && digests.equals(wanted)) return [];
  const bad: number[] = [];
  for (let index = 0; index < count; index++) {
    const found = digests.subarray(index * layout.digestSlotBytes).subarray(0, layout.digestBytes);
    const expected = lowest.subarray((first + index) * layout.digestSlotBytes).subarray(0, layout.digestBytes);
    if (unreadable.has(first + index) || !found.equals(expected)) bad.push(first + index);
  }
  return bad;
}

/** Fills the hasher's blocks, and gives those that the disk does not hand out. */
async function readBlocks(
  device: FileHandle,
  hasher: BlockHasher,
  blockSizeBytes: number,
  first: number,
  count: number,
): Promise<Set<number>> {
  const views = hasher.blocks.slice(0, count);
  try {
    await readInto(device, views, first * blockSizeBytes);
    return new Set();
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
  }
  const unreadable = new Set<number>();
  for (const [index, view] of views.entries()) {
    try {
      await readInto(device, [view], (first + index) * blockSizeBytes);
    } catch (error) {
      if (!(error instanceof AshlarError)) throw error;
      unreadable.add(first + index);
    }
  }
  return unreadable;
}
