import { open, type FileHandle } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { hashBlockDigests, parseVeritySuperblock, SUPERBLOCK_BYTES, verityLayout } from "@ashlar/formats";
import { BLOCK_BYTES, blocksLayout, SEGMENT_BLOCKS, segmentDataBytes, writeBlocksIndex } from "./blocks-layout.ts";
import { encodeSegment } from "./segment.ts";

export type WriteBlocksOptions = {
  /** The usr image. */
  readonly dataPath: string;
  /** Its dm-verity superblock and hash tree, which must belong to the image: it is not hashed again here. */
  readonly treePath: string;
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
};

/** Read, compressed by the thread pool and written at once. */
const BATCH_SEGMENTS = 128;

/**
 * Writes the `.usr.blocks` file of a usr image, and has it on the disk when it returns. The same image and the same zstd
 * give the same bytes.
 *
 * @throws AshlarError `malformed`, `limit` or `invalid` for an image without a fitting hash tree; `interrupted`
 */
export async function writeBlocks({ dataPath, treePath, out, signal }: WriteBlocksOptions): Promise<void> {
  const { dataBlocks, leaves, leafDigests } = await readLeaves(treePath);
  const layout = blocksLayout(dataBlocks);
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
    const stored = await encodeBatch(data, dataBlocks, first, Math.min(layout.segments, first + BATCH_SEGMENTS));
    for (const [index, { length }] of stored.entries()) sizes[first + index] = length;
    const bytes = Buffer.concat(stored);
    await file.write(bytes, 0, bytes.length, offset);
    offset += bytes.length;
  }
  await file.write(leaves, 0, leaves.length, offset);
  const index = writeBlocksIndex(dataBlocks, leafDigests, leaves, sizes);
  await file.write(index, 0, index.length, 0);
  await file.sync();
}

async function encodeBatch(data: FileHandle, dataBlocks: number, first: number, end: number): Promise<Uint8Array[]> {
  const segmentBytes = SEGMENT_BLOCKS * BLOCK_BYTES;
  const bytes = await readExactly(data, first * segmentBytes, Math.min(end * segmentBytes, dataBlocks * BLOCK_BYTES));
  return await Promise.all(
    Array.from({ length: end - first }, async (_, index) => {
      const start = index * segmentBytes;
      return await encodeSegment(bytes.subarray(start, start + segmentDataBytes(dataBlocks, first + index)));
    }),
  );
}

type Leaves = { readonly dataBlocks: number; readonly leaves: Uint8Array; readonly leafDigests: Uint8Array };

async function readLeaves(treePath: string): Promise<Leaves> {
  await using tree = await open(treePath, "r");
  const superblock = parseVeritySuperblock(await readExactly(tree, 0, SUPERBLOCK_BYTES));
  const { algorithm, dataBlockSizeBytes, hashBlockSizeBytes, dataBlocks } = superblock;
  if (algorithm !== "sha256" || dataBlockSizeBytes !== BLOCK_BYTES || hashBlockSizeBytes !== BLOCK_BYTES) {
    throw new AshlarError(
      "invalid",
      `${treePath}: expected a tree of SHA-256 over blocks of ${BLOCK_BYTES} bytes, ` +
        `found ${algorithm} over ${dataBlockSizeBytes} in ${hashBlockSizeBytes}`,
    );
  }
  blocksLayout(dataBlocks);
  const [lowest] = verityLayout(superblock).levels;
  if (lowest === undefined) throw new RangeError("a tree over two blocks or more has a level");
  const leaves = await readExactly(tree, lowest.offsetBytes, lowest.offsetBytes + lowest.blocks * BLOCK_BYTES);
  return { dataBlocks, leaves, leafDigests: hashBlockDigests(superblock, leaves) };
}

async function readExactly(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
  if (bytesRead === bytes.length) return bytes;
  throw new AshlarError("invalid", `expected ${end} bytes to read, found ${start + bytesRead}`);
}
