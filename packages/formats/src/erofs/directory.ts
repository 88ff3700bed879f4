import { AshlarError } from "@ashlar/base";
import { type ErofsImage, readBytes, unknownFeature } from "./image.ts";
import type { ErofsInode } from "./inode.ts";

export type DirectoryEntry = { readonly name: string; readonly nid: number };

const ENTRY_BYTES = 12;
const MAX_NAME_BYTES = 255;

/** The entries of a directory, block by block, without `.` and `..` (`struct erofs_dirent`). */
export function* readDirectory(image: ErofsImage, inode: ErofsInode): Generator<DirectoryEntry> {
  const { sizeBytes, layout, endBytes, info } = inode;
  const { blockSizeBytes } = image;
  if (layout !== "flat-plain" && layout !== "flat-inline") unknownFeature(`directories laid out as ${layout}`);
  for (let done = 0; done < sizeBytes; done += blockSizeBytes) {
    const length = Math.min(blockSizeBytes, sizeBytes - done);
    const isInline = layout === "flat-inline" && done + blockSizeBytes >= sizeBytes;
    const offset = isInline ? endBytes : info * blockSizeBytes + done;
    yield* parseBlock(readBytes(image, offset, length, "directory"));
  }
}

function* parseBlock(bytes: Uint8Array): Generator<DirectoryEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < ENTRY_BYTES) malformed(`an entry of ${ENTRY_BYTES} bytes`, `${bytes.length} bytes`);
  const namesOffset = view.getUint16(8, true);
  const isAligned = namesOffset >= ENTRY_BYTES && namesOffset % ENTRY_BYTES === 0;
  if (!isAligned || namesOffset >= bytes.length) malformed("names after whole entries", `an offset of ${namesOffset}`);
  for (let entry = 0; entry < namesOffset; entry += ENTRY_BYTES) {
    const nid = view.getBigUint64(entry, true);
    const start = view.getUint16(entry + 8, true);
    const isLast = entry + ENTRY_BYTES === namesOffset;
    const end = isLast ? endOfLastName(bytes, start) : view.getUint16(entry + ENTRY_BYTES + 8, true);
    if (start < namesOffset || end <= start || end > bytes.length || end - start > MAX_NAME_BYTES) {
      malformed("a name inside the block", `one from ${start} to ${end}`);
    }
    const name = Buffer.from(bytes.subarray(start, end)).toString("utf8");
    if (name.includes("/") || name.includes("\0")) malformed("a file name", JSON.stringify(name));
    if (nid > BigInt(Number.MAX_SAFE_INTEGER)) malformed("an inode number of the image", String(nid));
    if (name !== "." && name !== "..") yield { name, nid: Number(nid) };
  }
}

/** The last name of a block ends with the block or with a NUL byte. */
function endOfLastName(bytes: Uint8Array, start: number): number {
  const nul = bytes.indexOf(0, start);
  return nul === -1 ? bytes.length : nul;
}

function malformed(expected: string, found: string): never {
  throw new AshlarError("malformed", `erofs directory: expected ${expected}, found ${found}`);
}
