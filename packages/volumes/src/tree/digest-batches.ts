import { hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { type BlockHasher, createBlockHasher, verityLayout, type VerityParameters } from "@ashlar/formats";
import { readAhead } from "@ashlar/host";
import { readBlocks } from "./block-files.ts";

/** Read and hashed at once; what `readv` accepts is 1,024. */
export const BATCH_BLOCKS = 256;

export type DigestBatch = {
  readonly first: number;
  readonly count: number;
  /** One per slot, in the memory of the batch before. */
  readonly digests: Buffer;
  /** Blocks that the disk does not give, counted from the first: their digests say nothing. */
  readonly unreadable: ReadonlySet<number>;
};

export type DigestBatchesOptions = {
  /** How many blocks of the file. */
  readonly end: number;
  readonly signal?: AbortSignal | undefined;
  /** 1 for blocks that need not be read: a batch of nothing else is left out. */
  readonly good?: Uint8Array | undefined;
};

/**
 * The digests of a file's blocks, a batch after the other; the next one is read meanwhile.
 *
 * @throws AshlarError `interrupted`
 */
export async function* digestBatches(
  file: FileHandle,
  parameters: VerityParameters,
  { end, signal, good }: DigestBatchesOptions,
): AsyncGenerator<DigestBatch> {
  const { algorithm, salt, dataBlockSizeBytes: blockSizeBytes } = parameters;
  const { digestSlotBytes } = verityLayout(parameters);
  const newHasher = (): BlockHasher =>
    createBlockHasher(hash, { algorithm, salt, blockSizeBytes, digestSlotBytes, capacity: BATCH_BLOCKS });
  const hashers = [newHasher(), newHasher()] as const;
  const digests = Buffer.alloc(BATCH_BLOCKS * digestSlotBytes);
  const batches = readAhead(batchesOf(end, good), async ({ first, count }, turn) => {
    if (signal?.aborted === true) throw new AshlarError("interrupted", "reading blocks was interrupted");
    const hasher = hashers[turn];
    const unreadable = await readBlocks(file, first, hasher.blocks.slice(0, count));
    return { first, count, hasher, unreadable };
  });
  for await (const { hasher, ...batch } of batches) {
    hasher.digest(batch.count, digests, 0);
    yield { ...batch, digests: digests.subarray(0, batch.count * digestSlotBytes) };
  }
}

function* batchesOf(end: number, good: Uint8Array | undefined): Generator<Pick<DigestBatch, "first" | "count">> {
  for (let first = 0; first < end; first += BATCH_BLOCKS) {
    const count = Math.min(BATCH_BLOCKS, end - first);
    const isKnown =
      good !== undefined && good.length >= first + count && !good.subarray(first, first + count).includes(0);
    if (!isKnown) yield { first, count };
  }
}
