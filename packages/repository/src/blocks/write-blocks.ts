import { open } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { hashBlockDigests } from "@ashlar/formats";
import {
  BLOCK_BYTES,
  blocksLayout,
  CELL_BYTES,
  MAX_STORED_BYTES,
  writeBlocksIndex,
  planSegments,
  encodeSegment,
  type BlocksLayout,
  type CellRun,
} from "@ashlar/repository-index";
import { type ImageTree, openRegion, type OpenRegion, readRegion } from "@ashlar/volumes";

export type WriteBlocksOptions = {
  /** The image. */
  readonly dataPath: string;
  /** Must belong to the image: it is not hashed again here. */
  readonly tree: ImageTree;
  /** 1 for blocks that the version before does not have; those are compressed together. */
  readonly isNew?: Uint8Array | undefined;
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
};

/** Read, compressed by the thread pool and written at once. */
const BATCH_CELLS = 128;

/**
 * Writes the `.blocks` file of an image, and has it on the disk when it returns. The same image, the same version before
 * and the same zstd give the same bytes.
 *
 * @throws AshlarError `limit`, `invalid` for an image without a fitting hash tree, `interrupted`
 */
export async function writeBlocks({ dataPath, tree, isNew, out, signal }: WriteBlocksOptions): Promise<void> {
  const { parameters, leaves } = tree;
  const { dataBlocks } = parameters;
  const layout = blocksLayout(dataBlocks);
  const data = await openRegion({ path: dataPath });
  await using _handle = data.handle;
  const { sizeBytes: size } = data;
  if (size !== dataBlocks * BLOCK_BYTES) {
    throw new AshlarError("invalid", `${dataPath}: expected ${dataBlocks * BLOCK_BYTES} bytes, found ${size}`);
  }
  await using file = await open(out, "w");
  const sizes = new Uint16Array(layout.cells);
  let offset = layout.indexBytes;
  for (const batch of inBatches(planSegments(dataBlocks, isNew))) {
    if (signal?.aborted === true) throw new AshlarError("interrupted", `writing ${out} was interrupted`);
    const segments = (await Promise.all(batch.map(async (run) => await encodeRun(data, layout, run)))).flat();
    for (const { first, stored } of segments) sizes[first] = stored.length;
    const bytes = Buffer.concat(segments.map(({ stored }) => stored));
    await file.write(bytes, 0, bytes.length, offset);
    offset += bytes.length;
  }
  await file.write(leaves, 0, leaves.length, offset);
  const index = writeBlocksIndex(layout, hashBlockDigests(parameters, leaves), leaves, sizes);
  await file.write(index, 0, index.length, 0);
  await file.sync();
}

function* inBatches(runs: readonly CellRun[]): Generator<readonly CellRun[]> {
  let batch: CellRun[] = [];
  let cells = 0;
  for (const run of runs) {
    batch.push(run);
    cells += run.cells;
    if (cells < BATCH_CELLS) continue;
    yield batch;
    [batch, cells] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

type StoredSegment = { readonly first: number; readonly stored: Uint8Array };

/** One segment, or one for each cell when it became too large. */
async function encodeRun(
  data: OpenRegion,
  { dataBlocks }: BlocksLayout,
  { first, cells }: CellRun,
): Promise<readonly StoredSegment[]> {
  const end = Math.min((first + cells) * CELL_BYTES, dataBlocks * BLOCK_BYTES);
  const bytes = await readRegion(data, first * CELL_BYTES, end - first * CELL_BYTES);
  const stored = await encodeSegment(bytes);
  if (stored.length <= MAX_STORED_BYTES) return [{ first, stored }];
  const encodeCell = async (_: unknown, cell: number): Promise<StoredSegment> => ({
    first: first + cell,
    stored: await encodeSegment(bytes.subarray(cell * CELL_BYTES, (cell + 1) * CELL_BYTES)),
  });
  return await Promise.all(Array.from({ length: cells }, encodeCell));
}
