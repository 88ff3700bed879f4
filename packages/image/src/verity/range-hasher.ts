import type { hash } from "node:crypto";
import type { readvSync, writeSync } from "node:fs";
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

export type RangeHasher = {
  /** Works on one more chunk; false when none is left. */
  readonly step: () => boolean;
  /** The first data blocks that this thread found not to match, in ascending order. */
  readonly badBlocks: readonly number[];
};

type Tools = {
  readonly hash: typeof hash;
  readonly readvSync: typeof readvSync;
  readonly writeSync: typeof writeSync;
  readonly createBlockHasher: typeof CreateBlockHasher;
};

/**
 * Makes the part of the work that every thread does: it takes chunks of whole hash blocks, one after the other, until
 * none is left. Worker threads get this function as source text (starting them from a file would cost more time than
 * they save): it uses nothing but its arguments and globals.
 */
export function createRangeHasher(job: RangeJob, tools: Tools): RangeHasher {
  const maxKeptBadBlocks = 16;
  const [nextChunk, stop, badCount] = [0, 1, 2];
  const { algorithm, salt, digestSlotBytes, hashesPerBlock, dataBlockSizeBytes, hashBlockSizeBytes } = job;
  const counters = new Int32Array(job.counters);
  const digests = Buffer.from(job.digests);
  const shared = { algorithm, salt, digestSlotBytes };
  const dataHasher = tools.createBlockHasher(tools.hash, {
    ...shared,
    blockSizeBytes: dataBlockSizeBytes,
    capacity: Math.min(job.batchBlocks, job.dataBlocks),
  });
  const treeHasher = tools.createBlockHasher(tools.hash, {
    ...shared,
    blockSizeBytes: hashBlockSizeBytes,
    capacity: Math.min(job.hashBlocksPerChunk, job.hashBlocks),
  });
  const level = Buffer.alloc(treeHasher.blocks.length * hashBlockSizeBytes);
  const badBlocks: number[] = [];

  const read = (file: number, views: readonly Uint8Array[], sizeBytes: number, offsetBytes: number): void => {
    const found = tools.readvSync(file, views, offsetBytes);
    if (found !== sizeBytes) throw new Error(`expected ${sizeBytes} bytes at offset ${offsetBytes}, found ${found}`);
  };

  const hashData = (firstBlock: number, count: number): void => {
    for (let done = 0; done < count; done += dataHasher.blocks.length) {
      const batch = Math.min(dataHasher.blocks.length, count - done);
      const views = batch === dataHasher.blocks.length ? dataHasher.blocks : dataHasher.blocks.slice(0, batch);
      const offsetBytes = job.dataOffsetBytes + (firstBlock + done) * dataBlockSizeBytes;
      read(job.dataFile, views, batch * dataBlockSizeBytes, offsetBytes);
      dataHasher.digest(batch, level, done * digestSlotBytes);
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

  const step = (): boolean => {
    const firstHashBlock = Atomics.add(counters, nextChunk, 1) * job.hashBlocksPerChunk;
    if (firstHashBlock >= job.hashBlocks || Atomics.load(counters, stop) !== 0) return false;
    const hashBlocks = Math.min(job.hashBlocksPerChunk, job.hashBlocks - firstHashBlock);
    const firstBlock = firstHashBlock * hashesPerBlock;
    level.fill(0);
    hashData(firstBlock, Math.min(hashBlocks * hashesPerBlock, job.dataBlocks - firstBlock));
    const computed = level.subarray(0, hashBlocks * hashBlockSizeBytes);
    const levelOffsetBytes = job.levelOffsetBytes + firstHashBlock * hashBlockSizeBytes;
    const treeBlocks = treeHasher.blocks.slice(0, hashBlocks);
    if (job.mode === "format") tools.writeSync(job.hashFile, computed, 0, computed.length, levelOffsetBytes);
    else read(job.hashFile, treeBlocks, computed.length, levelOffsetBytes);
    for (const [index, block] of treeBlocks.entries()) {
      const own = computed.subarray(index * hashBlockSizeBytes, (index + 1) * hashBlockSizeBytes);
      if (job.mode === "format") block.set(own);
      else if (!own.equals(block)) noteBadBlocks(block, own, firstBlock + index * hashesPerBlock);
    }
    treeHasher.digest(hashBlocks, digests, firstHashBlock * digestSlotBytes);
    return true;
  };
  return { step, badBlocks };
}
