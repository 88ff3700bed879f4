import { AshlarError } from "@ashlar/base";
import {
  BLOCK_BYTES,
  DIGEST_BYTES,
  blocksOfSegment,
  decodeSegment,
  isSegmentMissing,
  planRanges,
  type SegmentRange,
} from "@ashlar/repository-index";
import { BATCH_BLOCKS, writeBlocksAt } from "@ashlar/volumes";
import { allOrNone } from "./all-or-none.ts";
import { type BlocksFile, cutShort, streamRange } from "./blocks-file.ts";
import { withRetries } from "./transport/retry.ts";
import type { ImageAssembly } from "./image-assembly.ts";

const CONNECTIONS = 4;
const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * Fetches the segments of missing blocks, over a few connections. Blocks that come wrong stay missing.
 *
 * @param isPresent 1 for the blocks that are not asked for
 * @throws AshlarError as the transport does, when trying again does not help
 */
export async function fetchSegments(
  assembly: ImageAssembly,
  isPresent: Uint8Array,
  file: BlocksFile,
  hasRanges: boolean,
): Promise<void> {
  const { index } = assembly;
  if (!isPresent.includes(0)) return;
  // Without ranges, everything comes in one answer.
  const ranges = hasRanges ? planRanges(index, isPresent) : [{ first: 0, end: index.segments }];
  const queue = ranges.values();
  const work = async (signal: AbortSignal): Promise<void> => {
    const fetcher = new SegmentFetcher(assembly, { ...file, signal });
    for (const range of queue) await fetcher.fetch(range);
  };
  await allOrNone(
    Array.from({ length: Math.min(CONNECTIONS, ranges.length) }, () => work),
    file.signal,
  );
}

/** Turns the bytes of ranges into blocks of the file, a batch at a time. */
class SegmentFetcher {
  readonly #assembly: ImageAssembly;
  readonly #file: BlocksFile;
  readonly #hasher;
  readonly #digests: Buffer = Buffer.alloc(BATCH_BLOCKS * DIGEST_BYTES);
  /** Which blocks the hasher's places hold. */
  #gathered: number[] = [];
  #written = 0;

  constructor(assembly: ImageAssembly, file: BlocksFile) {
    this.#assembly = assembly;
    this.#file = file;
    this.#hasher = assembly.createHasher();
  }

  async fetch(range: SegmentRange): Promise<void> {
    // After a cut only what is still missing is asked for.
    let { first } = range;
    await withRetries(
      this.#file.transport.patience,
      this.#file.signal,
      async () => {
        this.#gathered = [];
        try {
          first = await this.#fetchOnce({ first, end: range.end });
        } finally {
          await this.#flush();
        }
        if (first < range.end) throw cutShort(this.#file);
      },
      () => this.#written,
    );
  }

  /** Gives the segment at which it ended. */
  async #fetchOnce({ first, end }: SegmentRange): Promise<number> {
    const { index, isPresent } = this.#assembly;
    const offsetOf = (segment: number): number => index.segmentOffsets[segment] ?? 0;
    let segment = first;
    while (segment < end && !isSegmentMissing(index, isPresent, segment)) segment += 1;
    if (segment === end) return end;
    /** The begin of a segment whose end has not come yet. */
    let pending: Uint8Array = EMPTY;
    await streamRange(this.#file, { start: offsetOf(segment), end: offsetOf(end) }, async (chunk) => {
      let used = 0;
      while (segment < end) {
        const missing = offsetOf(segment + 1) - offsetOf(segment) - pending.length;
        const part = chunk.subarray(used, used + missing);
        used += part.length;
        const stored = pending.length === 0 ? part : Buffer.concat([pending, part]);
        pending = EMPTY;
        if (part.length < missing) {
          // Not a view: the rest of the chunk need not stay in memory.
          pending = Uint8Array.from(stored);
          break;
        }
        if (isSegmentMissing(index, isPresent, segment)) await this.#take(segment, stored);
        segment += 1;
      }
      return segment < end;
    });
    return segment;
  }

  async #take(segment: number, stored: Uint8Array): Promise<void> {
    const { index, isPresent } = this.#assembly;
    const { first, end } = blocksOfSegment(index, segment);
    let data: Uint8Array;
    try {
      data = decodeSegment(stored, (end - first) * BLOCK_BYTES);
    } catch (error) {
      // Not what was published: its blocks stay missing.
      if (error instanceof AshlarError) return;
      throw error;
    }
    if (this.#gathered.length + end - first > BATCH_BLOCKS) await this.#flush();
    for (let block = first; block < end; block++) {
      if (isPresent[block] === 1) continue;
      const offset = (block - first) * BLOCK_BYTES;
      this.#hasher.blocks[this.#gathered.length]?.set(data.subarray(offset, offset + BLOCK_BYTES));
      this.#gathered.push(block);
    }
  }

  async #flush(): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#hasher.digest(gathered.length, this.#digests, 0);
    let run: { first: number; blocks: Uint8Array[] } = { first: 0, blocks: [] };
    const writeRun = async (): Promise<void> => {
      if (run.blocks.length > 0) await writeBlocksAt(this.#assembly.file, run.first, run.blocks);
      this.#written += run.blocks.length;
    };
    for (const [place, block] of gathered.entries()) {
      const digest = this.#digests.subarray(place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES);
      const bytes = this.#hasher.blocks[place];
      if (bytes === undefined || !this.#assembly.accept(block, digest)) continue;
      if (block !== run.first + run.blocks.length) {
        await writeRun();
        run = { first: block, blocks: [] };
      }
      run.blocks.push(bytes);
    }
    await writeRun();
  }
}
