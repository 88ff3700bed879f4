import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";

/**
 * An erofs file system (kernel documentation "EROFS - Enhanced Read-Only File System"; the on-disk structures are those
 * of Linux 6.12). Only what is needed to tell which file a block belongs to.
 */
export type ErofsImage = {
  /** A view or copy of part of the image; it may throw an AshlarError for parts that must not be trusted. */
  readonly read: ReadBytes;
  readonly sizeBytes: number;
  readonly blockSizeBytes: number;
  readonly rootNid: number;
  /** The file that holds the tails of others ("fragments"), without a name of its own; undefined when there is none. */
  readonly packedNid: number | undefined;
  /** Where inode number 0 would stand. */
  readonly metadataOffsetBytes: number;
};

export type ReadBytes = (offsetBytes: number, sizeBytes: number) => Uint8Array;

const SUPERBLOCK_OFFSET = 1024;
const SUPERBLOCK_BYTES = 128;
const MAGIC = 0xe0f5_e1e2;
const MIN_BLOCK_BITS = 9;
const MAX_BLOCK_BITS = 16;
/** A sane bound for a `/usr`; larger ones are refused before anything is read. */
const MAX_IMAGE_BYTES: number = 2 ** 40;

/** Bits of `feature_incompat`. Two bits have two meanings each, told apart by other fields. */
const FEATURES = {
  zeroPadding: 0x01,
  /** Compression configurations, or clusters of several blocks. */
  compressionConfigs: 0x02,
  chunkedFiles: 0x04,
  /** A second kind of compressed cluster, or a table of further devices. */
  secondHeadOrDevices: 0x08,
  inlineTails: 0x10,
  /** Tails in a file of their own, or clusters shared by several files. */
  fragmentsOrDeduplication: 0x20,
  xattrPrefixes: 0x40,
} as const;

const KNOWN_FEATURES: number = Object.values(FEATURES).reduce((all, bit) => all | bit, 0);

/**
 * Reads the superblock.
 *
 * @throws AshlarError `malformed`, `limit`, or `invalid` for a feature that is not known here
 */
export function openErofs(read: ReadBytes, sizeBytes: number): ErofsImage {
  if (sizeBytes > MAX_IMAGE_BYTES) {
    throw new AshlarError("limit", `erofs: expected at most ${MAX_IMAGE_BYTES} bytes, found ${sizeBytes}`);
  }
  if (sizeBytes < SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES) {
    throw new AshlarError("malformed", `erofs superblock: expected it at offset 1024, found an end at ${sizeBytes}`);
  }
  const reader: ByteReader = new ByteReader(
    read(SUPERBLOCK_OFFSET, SUPERBLOCK_BYTES),
    "erofs superblock",
    "little-endian",
  );
  const magic = reader.u32("magic");
  if (magic !== MAGIC) reader.fail(`magic: expected 0x${MAGIC.toString(16)}, found 0x${magic.toString(16)}`);
  reader.skip(8, "checksum and compatible features");
  const blockBits = reader.u8("blkszbits");
  if (blockBits < MIN_BLOCK_BITS || blockBits > MAX_BLOCK_BITS) {
    reader.fail(`blkszbits: expected ${MIN_BLOCK_BITS} to ${MAX_BLOCK_BITS}, found ${blockBits}`);
  }
  reader.skip(1, "sb_extslots");
  const rootNid = reader.u16("root_nid");
  reader.skip(20, "inode count and build time");
  const blocks = reader.u32("blocks");
  const metadataBlock = reader.u32("meta_blkaddr");
  reader.skip(36, "xattr_blkaddr, UUID and volume name");
  const features = reader.u32("feature_incompat");
  reader.skip(2, "compression algorithms");
  const extraDevices = reader.u16("extra_devices");
  reader.skip(2, "devt_slotoff");
  const directoryBlockBits = reader.u8("dirblkbits");
  reader.skip(5, "xattr prefixes");
  const packedNid = readNumber(reader, "packed_nid");

  refuseUnknown(features, extraDevices, directoryBlockBits);
  const blockSizeBytes = 2 ** blockBits;
  if (blocks * blockSizeBytes > sizeBytes) {
    reader.fail(`blocks: expected at most ${Math.floor(sizeBytes / blockSizeBytes)}, found ${blocks}`);
  }
  const hasFragments = (features & FEATURES.fragmentsOrDeduplication) !== 0 && packedNid !== 0;
  return {
    read,
    sizeBytes: blocks * blockSizeBytes,
    blockSizeBytes,
    rootNid,
    packedNid: hasFragments ? packedNid : undefined,
    metadataOffsetBytes: metadataBlock * blockSizeBytes,
  };
}

function refuseUnknown(features: number, extraDevices: number, directoryBlockBits: number): void {
  const unknown = (features & ~KNOWN_FEATURES) >>> 0;
  if (unknown !== 0) unknownFeature(`bits 0x${unknown.toString(16)} of feature_incompat`);
  if (extraDevices !== 0) unknownFeature(`${extraDevices} extra devices`);
  if (directoryBlockBits !== 0) unknownFeature("directory blocks of another size");
}

/** Wrong names are worse than none: what is not known here is not guessed at. */
export function unknownFeature(what: string): never {
  throw new AshlarError("invalid", `erofs: unknown feature: ${what}`);
}

/** Reads part of the image. */
export function readBytes(image: ErofsImage, offsetBytes: number, sizeBytes: number, what: string): Uint8Array {
  if (offsetBytes + sizeBytes > image.sizeBytes) {
    const end = offsetBytes + sizeBytes;
    throw new AshlarError("malformed", `erofs ${what}: expected it to end by ${image.sizeBytes}, found ${end}`);
  }
  return image.read(offsetBytes, sizeBytes);
}

/** A 64-bit number that must be one of this image's offsets, sizes or inode numbers. */
export function readNumber(reader: ByteReader, field: string): number {
  const value = reader.u64(field);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) reader.fail(`${field}: expected less than 2^53, found ${value}`);
  return Number(value);
}
