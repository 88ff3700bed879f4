import { AshlarError } from "@ashlar/base";
import { readCompressedData } from "./compressed-index.ts";
import { type ErofsImage, readBytes, unknownFeature } from "./image.ts";
import type { ErofsInode } from "./inode.ts";
import { decompressLz4Block } from "./lz4-block.ts";
import type { PhysicalCluster } from "./physical-clusters.ts";

const LZ4 = 0;
/** What one physical cluster may give: 64 KiB of LZ4 give 16 MiB at most. */
const MAX_CLUSTER_BYTES = 16 * 1024 * 1024;
/** Plain data is passed on in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Passes on the content of a file or the target of a link, in order and in pieces. Knows data that is not compressed, and
 * LZ4 in blocks of its own.
 *
 * @throws AshlarError `malformed`, or `invalid` for a feature that is not known here
 */
export function readErofsContent(image: ErofsImage, inode: ErofsInode, onPiece: (bytes: Uint8Array) => void): void {
  const { sizeBytes, layout } = inode;
  if (sizeBytes === 0 || inode.type === "other") return;
  if (layout === "chunk-based") unknownFeature("content in chunks");
  if (layout === "flat-plain") readFlat(image, inode.info * image.blockSizeBytes, sizeBytes, onPiece);
  else if (layout === "flat-inline") {
    const inBlocks = (Math.ceil(sizeBytes / image.blockSizeBytes) - 1) * image.blockSizeBytes;
    readFlat(image, inode.info * image.blockSizeBytes, inBlocks, onPiece);
    onPiece(readBytes(image, inode.endBytes, sizeBytes - inBlocks, "inline data"));
  } else readCompressed(image, inode, onPiece);
}

function readFlat(image: ErofsImage, offset: number, sizeBytes: number, onPiece: (bytes: Uint8Array) => void): void {
  for (let done = 0; done < sizeBytes; done += PIECE_BYTES) {
    onPiece(readBytes(image, offset + done, Math.min(PIECE_BYTES, sizeBytes - done), "data"));
  }
}

function readCompressed(image: ErofsImage, inode: ErofsInode, onPiece: (bytes: Uint8Array) => void): void {
  const { algorithm, isWhole, isInterlaced, visit } = readCompressedData(image, inode);
  if (!isWhole) unknownFeature("content with the metadata or in the packed file");
  if (algorithm !== LZ4) unknownFeature(`compression algorithms ${algorithm}`);
  visit((cluster) => {
    if (cluster.isPlain && isInterlaced) unknownFeature("interlaced content");
    onPiece(readCluster(image, cluster));
  });
}

function readCluster(image: ErofsImage, cluster: PhysicalCluster): Uint8Array {
  const { firstBlock, blocks, startBytes, endBytes, isPlain } = cluster;
  const sizeBytes = endBytes - startBytes;
  if (sizeBytes > MAX_CLUSTER_BYTES) {
    throw new AshlarError(
      "limit",
      `erofs data: expected clusters of at most ${MAX_CLUSTER_BYTES} bytes, found ${sizeBytes}`,
    );
  }
  const bytes = readBytes(image, firstBlock * image.blockSizeBytes, blocks * image.blockSizeBytes, "data");
  if (!isPlain) {
    // The data ends with the cluster's end; zeros stand before it (EROFS_FEATURE_INCOMPAT_ZERO_PADDING).
    const start = bytes.findIndex((byte) => byte !== 0);
    return decompressLz4Block(bytes.subarray(Math.max(0, start)), sizeBytes);
  }
  if (sizeBytes > bytes.length) {
    throw new AshlarError("malformed", `erofs data: expected at most ${bytes.length} plain bytes, found ${sizeBytes}`);
  }
  return bytes.subarray(0, sizeBytes);
}
