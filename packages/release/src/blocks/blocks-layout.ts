/**
 * The `.blocks` file: an image that a node fetches in parts, knowing beforehand only a signed root hash.
 *
 *     header                      64 bytes
 *     leaf digests                32 bytes for each block of the hash tree's lowest level: they hash to the root hash
 *     prefixes                    the first 4 bytes of each data block's digest
 *     segment sizes               2 bytes each; 0 stands for 65,536
 *     segments                    2 or 16 data blocks each, as one zstd frame or, where that is not smaller, plain
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
 * How many blocks are compressed together. A release changes in many places: measured with two images 7,043 blocks apart
 * (trixie, and the same with its updates), segments of 1, 2, 4, 8 and 16 blocks make 27.11, 27.07, 27.19, 27.53 and 28.19
 * MB to fetch, this part of the index included. Of an extension whole programs change: a kubelet in segments of 2, 8, 16
 * and 32 blocks makes 26.1, 22.2, 20.7 and 20.3 MB (estimated from a sample of 6 MB).
 */
export const SEGMENT_BLOCKS = { release: 2, extension: 16 } as const;
export const MAX_SEGMENT_BYTES: number = SEGMENT_BLOCKS.extension * BLOCK_BYTES;
const SEGMENT_SIZES: readonly number[] = Object.values(SEGMENT_BLOCKS);
const PREFIX_BYTES = 4;
const SIZE_BYTES = 2;
const HEADER_BYTES = 64;
const MAGIC = "ASHLRBLK";
const VERSION = 1;
/** 4 GiB: four times a slot. */
export const MAX_DATA_BLOCKS: number = 2 ** 20;

/** Sizes that follow from the number of data blocks and of those in a segment. */
export type BlocksLayout = {
  readonly dataBlocks: number;
  readonly segmentBlocks: number;
  readonly leaves: number;
  readonly segments: number;
  readonly indexBytes: number;
};

export type BlocksIndex = BlocksLayout & {
  /** Of the lowest level's blocks, 32 bytes each. */
  readonly leafDigests: Uint8Array;
  /** The first bytes of each data block's digest, as a little-endian number. */
  readonly prefixes: Uint32Array;
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
export function blocksLayout(dataBlocks: number, segmentBlocks: number): BlocksLayout {
  const leaves = leavesOf(dataBlocks);
  const segments = Math.ceil(dataBlocks / segmentBlocks);
  const indexBytes = HEADER_BYTES + leaves * DIGEST_BYTES + dataBlocks * PREFIX_BYTES + segments * SIZE_BYTES;
  return { dataBlocks, segmentBlocks, leaves, segments, indexBytes };
}

/** How many bytes of the image a segment holds: the last may hold less. */
export function segmentDataBytes({ dataBlocks, segmentBlocks }: BlocksLayout, segment: number): number {
  return Math.min(segmentBlocks, dataBlocks - segment * segmentBlocks) * BLOCK_BYTES;
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
  const number = (field: string, ...expected: readonly number[]): number => {
    const found = reader.u32(field);
    return expected.includes(found)
      ? found
      : reader.fail(`${field}: expected ${expected.join(" or ")}, found ${found}`);
  };
  number("version", VERSION);
  number("block size", BLOCK_BYTES);
  const segmentBlocks = number("blocks of a segment", ...SEGMENT_SIZES);
  number("bytes of a prefix", PREFIX_BYTES);
  const layout = blocksLayout(reader.u32("data blocks"), segmentBlocks);
  const reserved = reader.bytes(HEADER_BYTES - reader.offset, "reserved");
  if (reserved.some((byte) => byte !== 0)) reader.fail("reserved: expected zeros");
  const leafDigests = reader.bytes(layout.leaves * DIGEST_BYTES, "leaf digests");
  const prefixes = new Uint32Array(layout.dataBlocks);
  copyLittleEndian(reader.bytes(layout.dataBlocks * PREFIX_BYTES, "prefixes"), prefixes);
  const sizes = new Uint16Array(layout.segments);
  copyLittleEndian(reader.bytes(layout.segments * SIZE_BYTES, "segment sizes"), sizes);
  reader.end();

  const segmentOffsets = new Float64Array(layout.segments + 1);
  let offset = layout.indexBytes;
  for (const [segment, stored] of sizes.entries()) {
    const size = stored === 0 ? MAX_SEGMENT_BYTES : stored;
    const limit = segmentDataBytes(layout, segment);
    if (size > limit) reader.fail(`size of segment ${segment}: expected 1 to ${limit}, found ${size}`);
    segmentOffsets[segment] = offset;
    offset += size;
  }
  segmentOffsets[layout.segments] = offset;
  return { ...layout, leafDigests, prefixes, segmentOffsets, sizeBytes: offset + layout.leaves * BLOCK_BYTES };
}

/** Serialises the index. `leaves` is the whole lowest level; `segmentSizes` has the size of each stored segment, modulo 2^16. */
export function writeBlocksIndex(
  layout: BlocksLayout,
  leafDigests: Uint8Array,
  leaves: Uint8Array,
  segmentSizes: Uint16Array,
): Buffer {
  const { dataBlocks, segmentBlocks } = layout;
  const bytes = Buffer.alloc(layout.indexBytes);
  let offset = bytes.write(MAGIC, "latin1");
  for (const value of [VERSION, BLOCK_BYTES, segmentBlocks, PREFIX_BYTES, dataBlocks]) {
    offset = bytes.writeUInt32LE(value, offset);
  }
  bytes.set(leafDigests, HEADER_BYTES);
  offset = HEADER_BYTES + layout.leaves * DIGEST_BYTES;
  for (let block = 0; block < dataBlocks; block++) {
    bytes.set(leaves.subarray(block * DIGEST_BYTES, block * DIGEST_BYTES + PREFIX_BYTES), offset);
    offset += PREFIX_BYTES;
  }
  for (const size of segmentSizes) offset = bytes.writeUInt16LE(size, offset);
  return bytes;
}

/** The processors that Ashlar runs on (x86-64) are little-endian themselves, so that copying is converting. */
function copyLittleEndian(source: Uint8Array, target: Uint16Array | Uint32Array): void {
  new Uint8Array(target.buffer).set(source);
}
