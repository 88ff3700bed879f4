import { hash } from "node:crypto";
import { read, writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createBlockHasher, verityLayout, type VerityParameters } from "@ashlar/formats";
import { COUNTERS, hashShare, type RangeJob } from "./hash-share.ts";

export type HashRangesOptions = {
  readonly mode: RangeJob["mode"];
  readonly parameters: VerityParameters;
  /** Open file descriptors and where data and hash tree begin in them. */
  readonly dataFile: number;
  readonly dataOffsetBytes: number;
  readonly hashFile: number;
  readonly hashOffsetBytes: number;
  /** Default: as many as hardly cost anything, at most one for each processor that this process may use. */
  readonly threads?: number | undefined;
  readonly onProgress?: ((doneFraction: number) => void) | undefined;
};

export type HashedRanges = {
  /** The digests of the lowest level's hash blocks, one per slot. */
  readonly digests: Uint8Array;
  /** How many data blocks do not match the lowest level, and the first of them. */
  readonly badBlockCount: number;
  readonly firstBadBlocks: readonly number[];
};

/** Read at once: enough that calls cost nothing, little enough to stay in a processor's caches. */
const BATCH_BYTES = 1024 * 1024;
/** A thread takes as much of a processor to start as to hash 50 MB. Unasked for, that is spent where it is little. */
const THRIFTY_BYTES_PER_THREAD = 256 * 1024 * 1024;
/** With less than this to do, a thread has not started before the others are done. */
const MIN_BYTES_PER_THREAD = 16 * 1024 * 1024;
const MAX_THREADS = 16;
const MAX_FIRST_BAD_BLOCKS = 16;

/**
 * Hashes all data blocks in worker threads and in this one, in a single pass: the lowest level of the tree is written
 * to the hash file or compared with it. The tree must have at least one level. Memory: some 4 MiB per thread and the
 * digests of the lowest level's blocks.
 */
export async function hashRanges(options: HashRangesOptions): Promise<HashedRanges> {
  const job = createJob(options);
  const counters = new Int32Array(job.counters);
  const dataBytes = job.dataBlocks * job.dataBlockSizeBytes;
  const threads = Math.min(
    options.threads ?? thriftyThreads(dataBytes),
    MAX_THREADS,
    Math.ceil(dataBytes / MIN_BYTES_PER_THREAD),
  );
  const workers = Array.from({ length: threads - 1 }, () => runWorker(job));
  const stopOthers = (): void => void Atomics.store(counters, COUNTERS.stop, 1);
  const results = await Promise.allSettled(
    [...workers, runHere(job, options.onProgress)].map(
      async (work) =>
        await work.catch((error: unknown) => {
          stopOthers();
          throw error;
        }),
    ),
  );
  const badBlocks = results.flatMap((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  return {
    digests: new Uint8Array(job.digests),
    badBlockCount: Atomics.load(counters, COUNTERS.badBlocks),
    firstBadBlocks: badBlocks.toSorted((a, b) => a - b).slice(0, MAX_FIRST_BAD_BLOCKS),
  };
}

function createJob(options: HashRangesOptions): RangeJob {
  const { mode, parameters, dataFile, dataOffsetBytes, hashFile, hashOffsetBytes } = options;
  const { digestBytes, digestSlotBytes, hashesPerBlock, levels } = verityLayout(parameters);
  const [lowest] = levels;
  if (lowest === undefined) throw new RangeError("a hash tree without levels has no ranges");
  const batchBlocks = Math.max(1, BATCH_BYTES / parameters.dataBlockSizeBytes);
  return {
    ...parameters,
    mode,
    dataFile,
    dataOffsetBytes,
    hashFile,
    levelOffsetBytes: hashOffsetBytes + lowest.offsetBytes,
    digestBytes,
    digestSlotBytes,
    hashesPerBlock,
    hashBlocks: lowest.blocks,
    hashBlocksPerChunk: Math.max(1, Math.floor(batchBlocks / hashesPerBlock)),
    batchBlocks,
    counters: new SharedArrayBuffer(COUNTERS.length * Int32Array.BYTES_PER_ELEMENT),
    digests: new SharedArrayBuffer(lowest.blocks * digestSlotBytes),
  };
}

function thriftyThreads(dataBytes: number): number {
  return Math.min(availableParallelism(), Math.max(1, Math.floor(dataBytes / THRIFTY_BYTES_PER_THREAD)));
}

async function runHere(job: RangeJob, onProgress: HashRangesOptions["onProgress"]): Promise<readonly number[]> {
  const counters = new Int32Array(job.counters);
  return await hashShare(job, { hash, read, writeSync, createBlockHasher }, () => {
    const done = Atomics.load(counters, COUNTERS.nextChunk) * job.hashBlocksPerChunk;
    onProgress?.(Math.min(1, done / job.hashBlocks));
  });
}

/** Source text. Bundlers must leave the two functions self-contained (esbuild: no `keepNames`). */
function workerSource(): string {
  return `
    const { hash } = require("node:crypto");
    const { read, writeSync } = require("node:fs");
    const { parentPort, workerData } = require("node:worker_threads");
    const createBlockHasher = ${createBlockHasher.toString()};
    const hashShare = ${hashShare.toString()};
    hashShare(workerData, { hash, read, writeSync, createBlockHasher }).then((bad) => parentPort.postMessage(bad));
  `;
}

async function runWorker(job: RangeJob): Promise<readonly number[]> {
  // Loaded only where it is used: a command that hashes in one thread starts without.
  const { Worker } = await import("node:worker_threads");
  const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
  const worker = new Worker(workerSource(), { eval: true, workerData: job, execArgv: [] });
  worker.once("message", resolve).once("error", reject);
  worker.once("exit", (code) => reject(new Error(`a hashing thread ended early with status ${code}`)));
  return await promise;
}
