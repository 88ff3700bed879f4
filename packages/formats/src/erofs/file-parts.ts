import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { readCompressedData } from "./compressed-index.ts";
import { type ErofsImage, readBytes, unknownFeature } from "./image.ts";
import type { ErofsInode } from "./inode.ts";

/** Part of the image that belongs to a file. */
export type FilePart = {
  /** `metadata`: inode, attributes, index, and data that stands right after them. */
  readonly kind: "data" | "metadata";
  readonly offsetBytes: number;
  readonly sizeBytes: number;
};

/** `i_u` of chunk-based files: bits 0 to 4 the chunk size, bit 5 the form of the index. */
const CHUNK_BITS = 0x1f;
const CHUNK_INDEXES = 0x20;
const HOLE = 0xffff_ffff;
const MAX_CHUNKS: number = 2 ** 20;

/** Visits all parts of the image that hold a file's data and metadata. */
export function visitFileParts(image: ErofsImage, inode: ErofsInode, visit: (part: FilePart) => void): void {
  const endBytes = inode.sizeBytes === 0 || inode.type === "other" ? inode.endBytes : visitData(image, inode, visit);
  if (endBytes > image.sizeBytes) {
    throw new AshlarError(
      "malformed",
      `erofs inode ${inode.nid}: expected its end by ${image.sizeBytes}, found ${endBytes}`,
    );
  }
  visit({ kind: "metadata", offsetBytes: inode.offsetBytes, sizeBytes: endBytes - inode.offsetBytes });
}

/** Visits the data in blocks of its own, and says where the metadata ends. */
function visitData(image: ErofsImage, inode: ErofsInode, visit: (part: FilePart) => void): number {
  const { blockSizeBytes } = image;
  const blocks = Math.ceil(inode.sizeBytes / blockSizeBytes);
  const visitBlocks = (firstBlock: number, count: number): void => {
    if (count === 0) return;
    const [offsetBytes, sizeBytes] = [firstBlock * blockSizeBytes, count * blockSizeBytes];
    if (offsetBytes + sizeBytes > image.sizeBytes) {
      const place = `blocks ${firstBlock} to ${firstBlock + count - 1}`;
      throw new AshlarError("malformed", `erofs inode ${inode.nid}: expected data inside the image, found ${place}`);
    }
    visit({ kind: "data", offsetBytes, sizeBytes });
  };
  if (inode.layout === "flat-plain") {
    visitBlocks(inode.info, blocks);
    return inode.endBytes;
  }
  if (inode.layout === "flat-inline") {
    visitBlocks(inode.info, blocks - 1);
    return inode.endBytes + inode.sizeBytes - (blocks - 1) * blockSizeBytes;
  }
  if (inode.layout === "chunk-based") return visitChunks(image, inode, visitBlocks);
  const { visit: visitClusters } = readCompressedData(image, inode);
  return visitClusters(({ firstBlock, blocks: count }) => visitBlocks(firstBlock, count));
}

/** `struct erofs_inode_chunk_index` (8 bytes), or just block addresses (4 bytes). */
function visitChunks(
  image: ErofsImage,
  inode: ErofsInode,
  visitBlocks: (firstBlock: number, count: number) => void,
): number {
  const format = inode.info & 0xffff;
  if ((format & ~(CHUNK_BITS | CHUNK_INDEXES)) !== 0) unknownFeature(`chunk format 0x${format.toString(16)}`);
  const blocksPerChunk = 2 ** (format & CHUNK_BITS);
  const blocks = Math.ceil(inode.sizeBytes / image.blockSizeBytes);
  const chunks = Math.ceil(blocks / blocksPerChunk);
  if (chunks > MAX_CHUNKS) {
    throw new AshlarError("limit", `erofs inode ${inode.nid}: expected at most ${MAX_CHUNKS} chunks, found ${chunks}`);
  }
  const hasIndexes = (format & CHUNK_INDEXES) !== 0;
  const entryBytes = hasIndexes ? 8 : 4;
  const start = Math.ceil(inode.endBytes / entryBytes) * entryBytes;
  const bytes = readBytes(image, start, chunks * entryBytes, "chunk index");
  const reader = new ByteReader(bytes, "erofs chunk index", "little-endian");
  for (let chunk = 0; chunk < chunks; chunk++) {
    if (hasIndexes && reader.u32("advise and device_id") !== 0) unknownFeature("chunks on another device");
    const firstBlock = reader.u32("blkaddr");
    if (firstBlock !== HOLE) visitBlocks(firstBlock, Math.min(blocksPerChunk, blocks - chunk * blocksPerChunk));
  }
  return start + chunks * entryBytes;
}
