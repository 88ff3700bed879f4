import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { type ErofsImage, readBytes, readNumber, unknownFeature } from "./image.ts";

export type ErofsFileType = "file" | "directory" | "link" | "other";

/** How a file's data is laid out (`enum` in bits 1 to 3 of `i_format`). */
export type ErofsLayout = "flat-plain" | "compressed-full" | "flat-inline" | "compressed-compact" | "chunk-based";

export type ErofsInode = {
  readonly nid: number;
  readonly type: ErofsFileType;
  /** Permissions, with the bits for set-user-ID, set-group-ID and sticky. */
  readonly mode: number;
  readonly hasAttributes: boolean;
  readonly layout: ErofsLayout;
  readonly sizeBytes: number;
  /** `i_u`: the first block of flat data, or the chunk format. */
  readonly info: number;
  readonly offsetBytes: number;
  /** Where the inode and its extended attributes end: what comes next depends on the layout. */
  readonly endBytes: number;
};

const LAYOUTS: readonly ErofsLayout[] = [
  "flat-plain",
  "compressed-full",
  "flat-inline",
  "compressed-compact",
  "chunk-based",
];
/** Inode numbers count slots of 32 bytes. */
export const INODE_SLOT_BYTES = 32;
const COMPACT_BYTES = 32;
const EXTENDED_BYTES = 64;
/** No layout can say more. */
const MAX_FILE_BYTES: number = 2 ** 48;

export function inodeOffset(image: ErofsImage, nid: number): number {
  const offset = image.metadataOffsetBytes + nid * INODE_SLOT_BYTES;
  if (offset + COMPACT_BYTES <= image.sizeBytes) return offset;
  throw new AshlarError("malformed", `erofs inode: expected a number inside the image, found ${nid}`);
}

/** Reads `struct erofs_inode_compact` or `struct erofs_inode_extended`. */
export function readInode(image: ErofsImage, nid: number): ErofsInode {
  const offsetBytes = inodeOffset(image, nid);
  const format = new ByteReader(readBytes(image, offsetBytes, 2, "inode"), "erofs inode", "little-endian").u16(
    "i_format",
  );
  if (format >>> 4 !== 0) unknownFeature(`inode format 0x${format.toString(16)}`);
  const layout = LAYOUTS[format >>> 1];
  if (layout === undefined) unknownFeature(`data layout ${format >>> 1}`);
  const isExtended = (format & 1) === 1;
  const length = isExtended ? EXTENDED_BYTES : COMPACT_BYTES;
  const reader = new ByteReader(readBytes(image, offsetBytes, length, "inode"), `erofs inode ${nid}`, "little-endian");
  reader.skip(2, "i_format");
  const xattrCount = reader.u16("i_xattr_icount");
  const mode = reader.u16("i_mode");
  reader.skip(2, "i_nlink");
  const sizeBytes = isExtended ? readNumber(reader, "i_size") : reader.u32("i_size");
  if (!isExtended) reader.skip(4, "i_mtime");
  const info = reader.u32("i_u");
  if (sizeBytes > MAX_FILE_BYTES) reader.fail(`i_size: expected at most ${MAX_FILE_BYTES}, found ${sizeBytes}`);
  // struct erofs_xattr_ibody_header (12 bytes) counts as the first entry.
  const xattrBytes = xattrCount === 0 ? 0 : 12 + (xattrCount - 1) * 4;
  const endBytes = offsetBytes + length + xattrBytes;
  if (endBytes > image.sizeBytes) reader.fail("i_xattr_icount: expected attributes inside the image");
  return {
    nid,
    type: typeOf(mode),
    mode: mode & 0o7777,
    hasAttributes: xattrCount > 0,
    layout,
    sizeBytes,
    info,
    offsetBytes,
    endBytes,
  };
}

/** The file type bits of `st_mode`. */
function typeOf(mode: number): ErofsFileType {
  if (mode >>> 12 === 0o10) return "file";
  if (mode >>> 12 === 0o04) return "directory";
  return mode >>> 12 === 0o12 ? "link" : "other";
}
