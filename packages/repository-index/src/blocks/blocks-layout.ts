/**
 * The `.blocks` file: an image that a node fetches in parts, knowing beforehand only a signed root hash.
 *
 *     header                      64 bytes
 *     leaf digests                32 bytes for each block of the hash tree's lowest level: they hash to the root hash
 *     prefixes                    the first 4 bytes of each data block's digest
 *     segment sizes               2 bytes for each cell of 2 data blocks: of the segment that begins there, or 0
 *     segments                    1 to 16 cells each, as one zstd frame or, where that is not smaller, plain
 *     leaves                      the hash tree's lowest level, as it stands on the hash device
 *
 * Integers are little-endian. The first four parts are the index. The node finds by a prefix which block of its own images
 * may be the wanted one, and fetches segments for the rest; either way it then has the whole digest, and a leaf made of 128
 * of them must hash to the leaf digest that the root hash vouches for. So it fetches an eighth of the tree, and leaves only
 * where a prefix has misled it.
 */
import { AshlarError } from "@ashlar/base";
import { ByteReader } from "@ashlar/formats";

export const BLOCK_BYTES = 4096;
export const DIGEST_BYTES = 32;
const DIGESTS_PER_LEAF: number = BLOCK_BYTES / DIGEST_BYTES;
/**
 * Measured with two images 7,043 blocks apart (trixie, and the same with its updates): segments of 1, 2, 4, 8 and 16
 * blocks make 27.11, 27.07, 27.19, 27.53 and 28.19 MB to fetch, this part of the index included.
 */
export const CELL_BLOCKS = 2;
export const CELL_BYTES: number = CELL_BLOCKS * BLOCK_BYTES;
/**
 * Where it is known that a whole stretch changes, longer segments are smaller: of a kubelet rebuilt for a patch, those of
 * 2, 8, 16, 32 and 64 blocks make 26.1, 22.2, 21.6, 20.7 and 20.4 MB.
 */
export const MAX_SEGMENT_CELLS = 16;
export const MAX_SEGMENT_BYTES: number = MAX_SEGMENT_CELLS * CELL_BYTES;
/** What the index has room for. */
export const MAX_STORED_BYTES = 0xffff;
const PREFIX_BYTES = 4;
const SIZE_BYTES = 2;
const HEADER_BYTES = 64;
const MAGIC = "ASHLRBLK";
const VERSION = 1;
/** 4 GiB: four times a slot. */
export const MAX_DATA_BLOCKS: number = 2 ** 20;

/** Sizes that follow from the number of data blocks alone. */
export type BlocksLayout = {
  readonly dataBlocks: number;
  readonly leaves: number;
  readonly cells: number;
  readonly indexBytes: number;
};

export type BlocksIndex = BlocksLayout & {
  /** Of the lowest level's blocks, 32 bytes each. */
  readonly leafDigests: Uint8Array;
  /** The first bytes of each data block's digest, as a little-endian number. */
  readonly prefixes: Uint32Array;
  readonly segments: number;
  /** Which data block each segment begins with; one more than there are segments: the last is the number of blocks. */
  readonly segmentBlocks: Uint32Array;
  /** Where each segment begins in the file; one more than there are segments: the last is where the leaves begin. */
  readonly segmentOffsets: Float64Array;
  /** Of the whole file. */
  readonly sizeBytes: number;
};

/**
 * How many blocks the lowest level of the tree has.
 *
 * @throws AshlarError `limit` for an image of one block, which has no tree, or of more than 4 GiB
 */
export function leavesOf(dataBlocks: number): number {
  if (Number.isInteger(dataBlocks) && dataBlocks >= 2 && dataBlocks <= MAX_DATA_BLOCKS) {
    return Math.ceil(dataBlocks / DIGESTS_PER_LEAF);
  }
  throw new AshlarError("limit", `image: expected 2 to ${MAX_DATA_BLOCKS} blocks, found ${dataBlocks}`);
}

/** @throws AshlarError as {@link leavesOf} */
export function blocksLayout(dataBlocks: number): BlocksLayout {
  const leaves = leavesOf(dataBlocks);
  const cells = Math.ceil(dataBlocks / CELL_BLOCKS);
  const indexBytes = HEADER_BYTES + leaves * DIGEST_BYTES + dataBlocks * PREFIX_BYTES + cells * SIZE_BYTES;
  return { dataBlocks, leaves, cells, indexBytes };
}

/** Which blocks a segment holds. */
export function blocksOfSegment(
  { segmentBlocks }: Pick<BlocksIndex, "segmentBlocks">,
  segment: number,
): { readonly first: number; readonly end: number } {
  return { first: segmentBlocks[segment] ?? 0, end: segmentBlocks[segment + 1] ?? 0 };
}

/** Which data blocks a leaf has the digests of. */
export function blocksOfLeaf(dataBlocks: number, leaf: number): { readonly first: number; readonly end: number } {
  return { first: leaf * DIGESTS_PER_LEAF, end: Math.min(dataBlocks, (leaf + 1) * DIGESTS_PER_LEAF) };
}

export function leafOfBlock(block: number): number {
  return Math.floor(block / DIGESTS_PER_LEAF);
}

/**
 * Parses the index: exactly its bytes. What it says is a claim until it has been compared with the root hash.
 *
 * @throws AshlarError `malformed` or `limit`
 */
export function parseBlocksIndex(bytes: Uint8Array): BlocksIndex {
  const reader: ByteReader = new ByteReader(bytes, "blocks index", "little-endian");
  const magic = Buffer.from(reader.bytes(MAGIC.length, "magic")).toString("latin1");
  if (magic !== MAGIC) reader.fail(`magic: expected ${MAGIC}, found ${JSON.stringify(magic)}`);
  for (const [field, expected] of HEADER_NUMBERS) {
    const found = reader.u32(field);
    if (found !== expected) reader.fail(`${field}: expected ${expected}, found ${found}`);
  }
  const layout = blocksLayout(reader.u32("data blocks"));
  const reserved = reader.bytes(HEADER_BYTES - reader.offset, "reserved");
  if (reserved.some((byte) => byte !== 0)) reader.fail("reserved: expected zeros");
  const leafDigests = reader.bytes(layout.leaves * DIGEST_BYTES, "leaf digests");
  const prefixes = new Uint32Array(layout.dataBlocks);
  copyLittleEndian(reader.bytes(layout.dataBlocks * PREFIX_BYTES, "prefixes"), prefixes);
  const sizes = new Uint16Array(layout.cells);
  copyLittleEndian(reader.bytes(layout.cells * SIZE_BYTES, "segment sizes"), sizes);
  reader.end();
  const placed = placeSegments(layout, sizes, (message) => reader.fail(message));
  return { ...layout, leafDigests, prefixes, ...placed };
}

function placeSegments(
  layout: BlocksLayout,
  sizes: Uint16Array,
  fail: (message: string) => never,
): Pick<BlocksIndex, "segments" | "segmentBlocks" | "segmentOffsets" | "sizeBytes"> {
  const starts = Array.from(sizes.keys()).filter((cell) => sizes[cell] !== 0);
  if (starts[0] !== 0) fail("size of segment 0: expected one in the first cell, found 0");
  const segmentBlocks = Uint32Array.from([...starts.map((cell) => cell * CELL_BLOCKS), layout.dataBlocks]);
  const segmentOffsets = new Float64Array(segmentBlocks.length);
  let offset = layout.indexBytes;
  for (const [segment, cell] of starts.entries()) {
    const size = sizes[cell] ?? 0;
    const { first, end } = blocksOfSegment({ segmentBlocks }, segment);
    const dataBytes = (end - first) * BLOCK_BYTES;
    if (dataBytes > MAX_SEGMENT_BYTES) fail(`segment ${segment}: expected at most ${MAX_SEGMENT_CELLS} cells`);
    if (size > dataBytes) fail(`size of segment ${segment}: expected 1 to ${dataBytes}, found ${size}`);
    segmentOffsets[segment] = offset;
    offset += size;
  }
  segmentOffsets[starts.length] = offset;
  return { segments: starts.length, segmentBlocks, segmentOffsets, sizeBytes: offset + layout.leaves * BLOCK_BYTES };
}

/** Serialises the index. `leaves` is the whole lowest level; `sizes` has for each cell that of the segment beginning there. */
export function writeBlocksIndex(
  layout: BlocksLayout,
  leafDigests: Uint8Array,
  leaves: Uint8Array,
  sizes: Uint16Array,
): Buffer {
  const { dataBlocks } = layout;
  const bytes = Buffer.alloc(layout.indexBytes);
  let offset = bytes.write(MAGIC, "latin1");
  for (const [, value] of HEADER_NUMBERS) offset = bytes.writeUInt32LE(value, offset);
  bytes.writeUInt32LE(dataBlocks, offset);
  bytes.set(leafDigests, HEADER_BYTES);
  offset = HEADER_BYTES + layout.leaves * DIGEST_BYTES;
  for (let block = 0; block < dataBlocks; block++) {
    bytes.set(leaves.subarray(block * DIGEST_BYTES, block * DIGEST_BYTES + PREFIX_BYTES), offset);
    offset += PREFIX_BYTES;
  }
  for (const size of sizes) offset = bytes.writeUInt16LE(size, offset);
  return bytes;
}

const HEADER_NUMBERS: readonly (readonly [field: string, value: number])[] = [
  ["version", VERSION],
  ["block size", BLOCK_BYTES],
  ["blocks of a cell", CELL_BLOCKS],
  ["bytes of a prefix", PREFIX_BYTES],
];

/** The processors that Ashlar runs on (x86-64) are little-endian themselves, so that copying is converting. */
function copyLittleEndian(source: Uint8Array, target: Uint16Array | Uint32Array): void {
  new Uint8Array(target.buffer).set(source);
}
