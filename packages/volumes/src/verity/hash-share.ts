import type { hash } from "node:crypto";
import type { read, writeSync } from "node:fs";
import type { createBlockHasher as CreateBlockHasher, VerityAlgorithm } from "@ashlar/formats";

/** What every thread that hashes one image is given; it must survive structured cloning. */
export type RangeJob = {
  /** `format` writes the lowest level of the hash tree, `verify` compares it with the data. */
  readonly mode: "format" | "verify";
  /** Open file descriptors, which threads of one process share. */
  readonly dataFile: number;
  readonly dataOffsetBytes: number;
  readonly hashFile: number;
  /** Where the lowest level begins in the hash file. */
  readonly levelOffsetBytes: number;
  readonly algorithm: VerityAlgorithm;
  readonly salt: Uint8Array;
  readonly digestBytes: number;
  readonly digestSlotBytes: number;
  readonly hashesPerBlock: number;
  readonly dataBlocks: number;
  readonly dataBlockSizeBytes: number;
  readonly hashBlockSizeBytes: number;
  readonly hashBlocks: number;
  readonly hashBlocksPerChunk: number;
  /** Data blocks read at once. */
  readonly batchBlocks: number;
  /** Counters: the next chunk to take, whether to stop, data blocks that do not match. */
  readonly counters: SharedArrayBuffer;
  /** The digests of the lowest level's hash blocks, one per slot. */
  readonly digests: SharedArrayBuffer;
};

/** Indexes into {@link RangeJob.counters}. */
export const COUNTERS = { nextChunk: 0, stop: 1, badBlocks: 2, length: 3 } as const;

export type Tools = {
  readonly hash: typeof hash;
  readonly read: typeof read;
  readonly writeSync: typeof writeSync;
  readonly createBlockHasher: typeof CreateBlockHasher;
};

/** Data that is read at once: the whole of a chunk, or a part when a single hash block covers more than that. */
type Batch = {
  readonly firstHashBlock: number;
  /** Counted from the chunk's first block. */
  readonly offset: number;
  readonly blocks: number;
  readonly blocksOfChunk: number;
};

/**
 * One thread's share of the work: it takes chunks of whole hash blocks, one after the other, until none is left, and
 * gives the first data blocks that it found not to match, in ascending order. The system reads the next data meanwhile.
 *
 * Worker threads get this function as source text (starting them from a file would cost more time than they save): it
 * uses nothing but its arguments and globals.
 */
export async function hashShare(job: RangeJob, tools: Tools, onChunk?: () => void): Promise<readonly number[]> {
  const maxKeptBadBlocks = 16;
  const [nextChunk, stop, badCount] = [0, 1, 2];
  const { algorithm, salt, digestSlotBytes, hashesPerBlock, dataBlockSizeBytes, hashBlockSizeBytes } = job;
  const counters = new Int32Array(job.counters);
  const digests = Buffer.from(job.digests);
  const shared = { algorithm, salt, digestSlotBytes };
  const ofData = {
    ...shared,
    blockSizeBytes: dataBlockSizeBytes,
    capacity: Math.min(job.batchBlocks, job.dataBlocks),
  };
  let hasher = tools.createBlockHasher(tools.hash, ofData);
  let otherHasher = tools.createBlockHasher(tools.hash, ofData);
  const treeHasher = tools.createBlockHasher(tools.hash, {
    ...shared,
    blockSizeBytes: hashBlockSizeBytes,
    capacity: Math.min(job.hashBlocksPerChunk, job.hashBlocks),
  });
  const level = Buffer.alloc(treeHasher.bytes.length);
  const badBlocks: number[] = [];

  const read = async (file: number, target: Buffer, offsetBytes: number): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    tools.read(file, target, 0, target.length, offsetBytes, (error, size) => {
      if (error === null) resolve(size);
      else reject(error);
    });
    const found = await promise;
    if (found !== target.length) {
      throw new Error(`expected ${target.length} bytes at offset ${offsetBytes}, found ${found}`);
    }
  };

  const noteBadBlocks = (stored: Uint8Array, computed: Buffer, firstBlock: number): void => {
    for (let index = 0; index < hashesPerBlock && firstBlock + index < job.dataBlocks; index++) {
      const [start, end] = [index * digestSlotBytes, index * digestSlotBytes + job.digestBytes];
      if (computed.subarray(start, end).equals(stored.subarray(start, end))) continue;
      Atomics.add(counters, badCount, 1);
      if (badBlocks.length < maxKeptBadBlocks) badBlocks.push(firstBlock + index);
    }
  };

  const batchAfter = (last: Batch | undefined): Batch | undefined => {
    if (last !== undefined && last.offset + last.blocks < last.blocksOfChunk) {
      const offset = last.offset + last.blocks;
      return { ...last, offset, blocks: Math.min(ofData.capacity, last.blocksOfChunk - offset) };
    }
    const firstHashBlock = Atomics.add(counters, nextChunk, 1) * job.hashBlocksPerChunk;
    if (firstHashBlock >= job.hashBlocks || Atomics.load(counters, stop) !== 0) return undefined;
    const blocksLeft = job.dataBlocks - firstHashBlock * hashesPerBlock;
    const blocksOfChunk = Math.min(job.hashBlocksPerChunk * hashesPerBlock, blocksLeft);
    return { firstHashBlock, offset: 0, blocks: Math.min(ofData.capacity, blocksOfChunk), blocksOfChunk };
  };

  const readBatch = async (batch: Batch | undefined): Promise<void> => {
    if (batch === undefined) return;
    const firstBlock = batch.firstHashBlock * hashesPerBlock + batch.offset;
    const target = otherHasher.bytes.subarray(0, batch.blocks * dataBlockSizeBytes);
    await read(job.dataFile, target, job.dataOffsetBytes + firstBlock * dataBlockSizeBytes);
  };

  const readAndCompare = async (
    stored: Buffer,
    computed: Buffer,
    offsetBytes: number,
    firstHashBlock: number,
  ): Promise<void> => {
    await read(job.hashFile, stored, offsetBytes);
    for (let start = 0; start < stored.length; start += hashBlockSizeBytes) {
      const block = stored.subarray(start, start + hashBlockSizeBytes);
      const own = computed.subarray(start, start + hashBlockSizeBytes);
      if (own.equals(block)) continue;
      noteBadBlocks(block, own, (firstHashBlock + start / hashBlockSizeBytes) * hashesPerBlock);
    }
  };

  const endChunk = async ({ firstHashBlock, blocksOfChunk }: Batch): Promise<void> => {
    const treeBlocks = Math.ceil(blocksOfChunk / hashesPerBlock);
    const stored = treeHasher.bytes.subarray(0, treeBlocks * hashBlockSizeBytes);
    const computed = level.subarray(0, stored.length);
    const offsetBytes = job.levelOffsetBytes + firstHashBlock * hashBlockSizeBytes;
    if (job.mode === "format") {
      tools.writeSync(job.hashFile, computed, 0, computed.length, offsetBytes);
      stored.set(computed);
    } else await readAndCompare(stored, computed, offsetBytes, firstHashBlock);
    treeHasher.digest(treeBlocks, digests, firstHashBlock * digestSlotBytes);
    onChunk?.();
  };

  let batch = batchAfter(undefined);
  let reading = readBatch(batch);
  try {
    while (batch !== undefined) {
      await reading;
      [hasher, otherHasher] = [otherHasher, hasher];
      const next = batchAfter(batch);
      reading = readBatch(next);
      // It may fail before it is waited for.
      reading.catch(() => undefined);
      if (batch.offset === 0) level.fill(0);
      hasher.digest(batch.blocks, level, batch.offset * digestSlotBytes);
      if (batch.offset + batch.blocks === batch.blocksOfChunk) await endChunk(batch);
      batch = next;
    }
  } finally {
    // Whoever closes the files must not do so under a read that is still going on.
    await reading.catch(() => undefined);
  }
  return badBlocks;
}
