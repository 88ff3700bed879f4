import { open, type FileHandle } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { hashBlockDigests } from "@ashlar/formats";
import { BLOCK_BYTES, type BlocksLayout, blocksLayout, segmentDataBytes, writeBlocksIndex } from "./blocks-layout.ts";
import { type ImageTree, readExactly } from "./image-tree.ts";
import { encodeSegment } from "./segment.ts";

export type WriteBlocksOptions = {
  /** The image. */
  readonly dataPath: string;
  /** Must belong to the image: it is not hashed again here. */
  readonly tree: ImageTree;
  /** One of `SEGMENT_BLOCKS`. */
  readonly segmentBlocks: number;
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
};

/** Read, compressed by the thread pool and written at once. */
const BATCH_SEGMENTS = 128;

/**
 * Writes the `.blocks` file of an image, and has it on the disk when it returns. The same image and the same zstd
 * give the same bytes.
 *
 * @throws AshlarError `limit`, `invalid` for an image without a fitting hash tree, `interrupted`
 */
export async function writeBlocks(options: WriteBlocksOptions): Promise<void> {
  const { dataPath, tree, segmentBlocks, out, signal } = options;
  const { parameters, leaves } = tree;
  const { dataBlocks } = parameters;
  const layout = blocksLayout(dataBlocks, segmentBlocks);
  await using data = await open(dataPath, "r");
  const { size } = await data.stat();
  if (size !== dataBlocks * BLOCK_BYTES) {
    throw new AshlarError("invalid", `${dataPath}: expected ${dataBlocks * BLOCK_BYTES} bytes, found ${size}`);
  }
  await using file = await open(out, "w");
  const sizes = new Uint16Array(layout.segments);
  let offset = layout.indexBytes;
  for (let first = 0; first < layout.segments; first += BATCH_SEGMENTS) {
    if (signal?.aborted === true) throw new AshlarError("interrupted", `writing ${out} was interrupted`);
    const stored = await encodeBatch(data, layout, first, Math.min(layout.segments, first + BATCH_SEGMENTS));
    for (const [index, { length }] of stored.entries()) sizes[first + index] = length;
    const bytes = Buffer.concat(stored);
    await file.write(bytes, 0, bytes.length, offset);
    offset += bytes.length;
  }
  await file.write(leaves, 0, leaves.length, offset);
  const index = writeBlocksIndex(layout, hashBlockDigests(parameters, leaves), leaves, sizes);
  await file.write(index, 0, index.length, 0);
  await file.sync();
}

async function encodeBatch(data: FileHandle, layout: BlocksLayout, first: number, end: number): Promise<Uint8Array[]> {
  const { dataBlocks, segmentBlocks } = layout;
  const segmentBytes = segmentBlocks * BLOCK_BYTES;
  const bytes = await readExactly(data, first * segmentBytes, Math.min(end * segmentBytes, dataBlocks * BLOCK_BYTES));
  return await Promise.all(
    Array.from({ length: end - first }, async (_, index) => {
      const start = index * segmentBytes;
      return await encodeSegment(bytes.subarray(start, start + segmentDataBytes(layout, first + index)));
    }),
  );
}
