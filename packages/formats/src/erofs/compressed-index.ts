import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { type ErofsImage, readBytes, unknownFeature } from "./image.ts";
import type { ErofsInode } from "./inode.ts";
import { NONHEAD, PhysicalClusters, type VisitCluster } from "./physical-clusters.ts";

export type CompressedData = {
  /** How clusters are compressed: the number of the kind that heads of type 1 have (0 is LZ4). */
  readonly algorithm: number;
  /** Whether the clusters visited are the whole file: its last part may be with the metadata or in the packed file. */
  readonly isWhole: boolean;
  /** Whether plain clusters begin with the end of their data (`Z_EROFS_ADVISE_INTERLACED_PCLUSTER`). */
  readonly isInterlaced: boolean;
  /** Visits the physical clusters, and says where the index and compressed data standing right after it end. */
  readonly visit: (visit: VisitCluster) => number;
};

const MAP_HEADER_BYTES = 8;
const FULL_INDEX_BYTES = 8;
/** Bits of `h_advise`. */
const TWO_BYTE_INDEX = 0x01;
const BIG_HEAD1 = 0x02;
const BIG_HEAD2 = 0x04;
const INLINE_TAIL = 0x08;
const INTERLACED = 0x10;
const FRAGMENT = 0x20;
const KNOWN_ADVISE: number = TWO_BYTE_INDEX | BIG_HEAD1 | BIG_HEAD2 | INLINE_TAIL | INTERLACED | FRAGMENT;
/** 4 GiB of data in blocks of 4 KiB; an index of at most 8 MiB. */
const MAX_CLUSTERS: number = 2 ** 20;

/** Reads how a compressed file is laid out. */
export function readCompressedData(image: ErofsImage, inode: ErofsInode): CompressedData {
  const count = Math.ceil(inode.sizeBytes / image.blockSizeBytes);
  if (count > MAX_CLUSTERS) {
    throw new AshlarError("limit", `erofs inode ${inode.nid}: expected at most ${MAX_CLUSTERS} blocks, found ${count}`);
  }
  // struct z_erofs_map_header
  const headerOffset = Math.ceil(inode.endBytes / 8) * 8;
  const headerBytes = readBytes(image, headerOffset, MAP_HEADER_BYTES, "map header");
  const reader = new ByteReader(headerBytes, `erofs map header of inode ${inode.nid}`, "little-endian");
  reader.skip(2, "h_reserved");
  const inlineSize = reader.u16("h_idata_size");
  const advise = reader.u16("h_advise");
  const algorithm = reader.u8("h_algorithmtype");
  const clusterBits = reader.u8("h_clusterbits");
  // Bit 7: the whole file is a fragment, and there is no index.
  if (clusterBits >>> 7 === 1) {
    return { algorithm, isWhole: false, isInterlaced: false, visit: () => headerOffset + MAP_HEADER_BYTES };
  }
  if (clusterBits !== 0) unknownFeature(`logical clusters larger than a block (0x${clusterBits.toString(16)})`);
  const unknown = advise & ~KNOWN_ADVISE;
  if (unknown !== 0) unknownFeature(`bits 0x${unknown.toString(16)} of h_advise`);

  const inlineTailBytes = (advise & INLINE_TAIL) === 0 ? 0 : inlineSize;
  const isWhole = inlineTailBytes === 0 && (advise & FRAGMENT) === 0;
  const index = { start: headerOffset + MAP_HEADER_BYTES, count, advise };
  const visit = (visitCluster: VisitCluster): number => {
    const clusters = new PhysicalClusters(visitCluster, {
      blockSizeBytes: image.blockSizeBytes,
      fileSizeBytes: inode.sizeBytes,
      isHead1Big: (advise & BIG_HEAD1) !== 0,
      isHead2Big: (advise & BIG_HEAD2) !== 0,
    });
    const visitIndex = inode.layout === "compressed-full" ? visitFullIndex : visitCompactIndex;
    const endBytes = visitIndex(image, index, clusters);
    // The last cluster is not in blocks of its own then: its address means nothing.
    clusters.end(!isWhole);
    return endBytes + inlineTailBytes;
  };
  return { algorithm, isWhole, isInterlaced: (advise & INTERLACED) !== 0, visit };
}

type Index = { readonly start: number; readonly count: number; readonly advise: number };

/** `struct z_erofs_lcluster_index`, 8 bytes per cluster, after 8 bytes of padding. */
function visitFullIndex(image: ErofsImage, { start, count }: Index, clusters: PhysicalClusters): number {
  const first = start + 8;
  const bytes = readBytes(image, first, count * FULL_INDEX_BYTES, "index");
  const reader = new ByteReader(bytes, "erofs index", "little-endian");
  for (let cluster = 0; cluster < count; cluster++) {
    const advise = reader.u16("di_advise");
    // Bits 0 and 1: the kind; bit 15: data shared with other files.
    if ((advise & 0x7ffc) !== 0) unknownFeature(`di_advise 0x${advise.toString(16)}`);
    const clusterOffset = reader.u16("di_clusterofs");
    const value = reader.u32("di_u");
    const kind = advise & 3;
    clusters.add(kind, value, kind === NONHEAD ? value & 0xffff : clusterOffset);
  }
  return first + count * FULL_INDEX_BYTES;
}

/**
 * The compact index is a row of packs: first of 2 clusters in 8 bytes, up to a multiple of 32 bytes; then, if the file
 * says so, of 16 clusters in 32 bytes; then of 2 in 8 bytes again (`z_erofs_load_compact_lcluster` in Linux).
 */
function visitCompactIndex(image: ErofsImage, { start, count, advise }: Index, clusters: PhysicalClusters): number {
  const hasLargePacks = (advise & TWO_BYTE_INDEX) !== 0;
  const lowBits = Math.max(Math.log2(image.blockSizeBytes), 12);
  if (lowBits > (hasLargePacks ? 12 : 14)) unknownFeature(`a compact index of ${image.blockSizeBytes}-byte blocks`);
  const before = ((32 - (start % 32)) / 4) & 7;
  const inLargePacks = hasLargePacks && before < count ? Math.floor((count - before) / 16) * 16 : 0;
  const sizeBytes = inLargePacks * 2 + Math.ceil((count - inLargePacks) / 2) * 8;
  const bytes = readBytes(image, start, sizeBytes, "index");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let left = count;
  for (let offset = 0; offset < sizeBytes;) {
    const isLarge = offset >= before * 4 && offset < before * 4 + inLargePacks * 2;
    const pack = isLarge ? LARGE_PACK : SMALL_PACK;
    // The last pack is filled up; what is left over belongs to no data.
    visitPack(view, offset, { ...pack, clusters: Math.min(pack.clusters, left) }, lowBits, clusters);
    left -= pack.clusters;
    offset += pack.bytes;
  }
  return start + sizeBytes;
}

type Pack = { readonly clusters: number; readonly bits: number; readonly bytes: number };

const SMALL_PACK: Pack = { clusters: 2, bits: 16, bytes: 8 };
const LARGE_PACK: Pack = { clusters: 16, bits: 14, bytes: 32 };

/** A pack: per cluster `lowBits` bits of value and 2 of kind, then a block address (`unpack_compacted_index`). */
function visitPack(view: DataView, offset: number, pack: Pack, lowBits: number, clusters: PhysicalClusters): void {
  clusters.beginPack(view.getUint32(offset + pack.bytes - 4, true));
  for (let index = 0; index < pack.clusters; index++) {
    const bit = index * pack.bits;
    const value = view.getUint32(offset + (bit >>> 3), true) >>> (bit & 7);
    clusters.addPacked((value >>> lowBits) & 3, value & (2 ** lowBits - 1));
  }
}
