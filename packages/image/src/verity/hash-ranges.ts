import { hash } from "node:crypto";
import { readvSync, writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createBlockHasher, verityLayout, type VerityParameters } from "@ashlar/formats";
import { COUNTERS, createRangeHasher, type RangeHasher, type RangeJob } from "./range-hasher.ts";

export type HashRangesOptions = {
  readonly mode: RangeJob["mode"];
  readonly parameters: VerityParameters;
  /** Open file descriptors and where data and hash tree begin in them. */
  readonly dataFile: number;
  readonly dataOffsetBytes: number;
  readonly hashFile: number;
  readonly hashOffsetBytes: number;
  /** Default: the processors that this process may use. */
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

/** Read at once: enough that calls cost nothing, little enough to stay in a processor's second-level cache. */
const BATCH_BYTES = 2 * 1024 * 1024;
/** What the system accepts in one `readv` (IOV_MAX). */
const MAX_BATCH_BLOCKS = 1024;
/** A thread takes about as long to start as to hash this much. */
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
    options.threads ?? availableParallelism(),
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
  const batchBlocks = Math.min(MAX_BATCH_BLOCKS, Math.max(1, BATCH_BYTES / parameters.dataBlockSizeBytes));
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

/** Does its share in this thread, letting other events in between chunks. */
async function runHere(job: RangeJob, onProgress: HashRangesOptions["onProgress"]): Promise<readonly number[]> {
  const counters = new Int32Array(job.counters);
  const hasher = createRangeHasher(job, { hash, readvSync, writeSync, createBlockHasher });
  while (hasher.step()) {
    const done = Atomics.load(counters, COUNTERS.nextChunk) * job.hashBlocksPerChunk;
    onProgress?.(Math.min(1, done / job.hashBlocks));
    await setImmediate();
  }
  return hasher.badBlocks;
}

/** Bundlers must leave the two functions self-contained (esbuild: no `keepNames`). */
const WORKER_SOURCE = `
  const { hash } = require("node:crypto");
  const { readvSync, writeSync } = require("node:fs");
  const { parentPort, workerData } = require("node:worker_threads");
  const createBlockHasher = ${createBlockHasher.toString()};
  const createRangeHasher = ${createRangeHasher.toString()};
  const hasher = createRangeHasher(workerData, { hash, readvSync, writeSync, createBlockHasher });
  while (hasher.step());
  parentPort.postMessage(hasher.badBlocks);
`;

async function runWorker(job: RangeJob): Promise<RangeHasher["badBlocks"]> {
  const { promise, resolve, reject } = Promise.withResolvers<RangeHasher["badBlocks"]>();
  const worker = new Worker(WORKER_SOURCE, { eval: true, workerData: job, execArgv: [] });
  worker.once("message", resolve).once("error", reject);
  worker.once("exit", (code) => reject(new Error(`a hashing thread ended early with status ${code}`)));
  return await promise;
}
