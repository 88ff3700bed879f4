import { AshlarError } from "@ashlar/base";

/** An entry of a tar archive (POSIX.1-2024, "pax"), with what its extended headers say. */
export type TarEntry = {
  /** As written, without a leading `./` or `/` and without a final slash; empty for the root. */
  readonly path: string;
  readonly type: "file" | "hard-link" | "link" | "directory" | "device" | "pipe";
  readonly mode: number;
  readonly linkTarget: string;
  /** From where to where it is in the archive, with its headers. */
  readonly startBytes: number;
  readonly endBytes: number;
  /** Where a file's content is. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Names of extended attributes. */
  readonly attributes: readonly string[];
};

type Read = (offsetBytes: number, sizeBytes: number) => Uint8Array;

const BLOCK_BYTES = 512;
/** Of names and extended headers. */
const MAX_HEADER_BYTES = 1024 * 1024;
const MAX_ENTRIES = 500_000;
const MAX_PATH_BYTES = 4096;
const XATTR = "SCHILY.xattr.";
/** Magic and version (POSIX.1-2024, "pax", ustar Interchange Format). */
const USTAR: Buffer = Buffer.from("ustar\0");

const TYPES: Readonly<Record<string, TarEntry["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hard-link",
  "2": "link",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "pipe",
};

/** What an extended header says about the next entry. */
type Extended = {
  readonly path?: string;
  readonly target?: string;
  readonly sizeBytes?: number;
  readonly attributes: string[];
};

/**
 * Reads the entries of an archive, in its order: ustar, pax and GNU tar's long names.
 *
 * @param read gives exactly as many bytes as asked for, which stay as they are until the next entry is asked for
 * @throws AshlarError `malformed` or `limit`
 */
export function* readTar(read: Read, sizeBytes: number, maxEntries: number = MAX_ENTRIES): Generator<TarEntry> {
  let extended: Extended = { attributes: [] };
  let count = 0;
  let start = 0;
  for (let offset = 0; offset < sizeBytes;) {
    if (offset + BLOCK_BYTES > sizeBytes) malformed(offset, "expected a header of 512 bytes, found the end");
    const block = read(offset, BLOCK_BYTES);
    const header = Buffer.from(block.buffer, block.byteOffset, BLOCK_BYTES);
    // Two blocks of zeros end an archive; what follows is padding.
    if (header[0] === 0 && header.every((byte) => byte === 0)) return;
    checkSum(header, offset);
    if (++count > maxEntries) throw new AshlarError("limit", `tar: expected at most ${maxEntries} entries`);
    const flag = header.toString("latin1", 156, 157);
    const size = extended.sizeBytes ?? numberAt(header, 124, 12, offset);
    const content = offset + BLOCK_BYTES;
    const end = content + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
    if (content + size > sizeBytes) malformed(offset, `expected ${size} bytes of content, found the end`);
    if ("xgLK".includes(flag)) {
      if (size > MAX_HEADER_BYTES)
        throw new AshlarError("limit", `tar: expected headers of at most ${MAX_HEADER_BYTES} bytes`);
      extended = extend(extended, flag, Buffer.from(read(content, size)), offset);
    } else {
      const last = TYPES[flag] === "file" ? end : content;
      yield { ...entryOf(header, flag, extended, content, size, offset), startBytes: start, endBytes: last };
      extended = { attributes: [] };
      start = last;
    }
    const hasContent = "xgLK".includes(flag) || TYPES[flag] === "file";
    offset = hasContent ? end : content;
  }
}

function entryOf(
  header: Buffer,
  flag: string,
  extended: Extended,
  content: number,
  sizeBytes: number,
  offset: number,
): Omit<TarEntry, "startBytes" | "endBytes"> {
  const type = TYPES[flag];
  if (type === undefined) malformed(offset, `expected a known type of entry, found ${JSON.stringify(flag)}`);
  const prefix = USTAR.equals(header.subarray(257, 263)) ? textAt(header, 345, 155) : "";
  const name = textAt(header, 0, 100);
  const path = extended.path ?? (prefix === "" ? name : `${prefix}/${name}`);
  return {
    path: checkPath(path, offset),
    type,
    mode: numberAt(header, 100, 8, offset) & 0o7777,
    linkTarget: checkTarget(extended.target ?? textAt(header, 157, 100), offset),
    offsetBytes: content,
    sizeBytes: type === "file" ? sizeBytes : 0,
    attributes: extended.attributes,
  };
}

/** A path that leads out of the archive is refused, whoever would follow it. */
function checkPath(path: string, offset: number): string {
  if (PLAIN_PATH.test(path)) return path;
  if (path.includes("\0") || Buffer.byteLength(path) > MAX_PATH_BYTES) malformed(offset, "expected a path");
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) malformed(offset, `expected a path inside the archive, found ${JSON.stringify(path)}`);
  return parts.join("/");
}

/** Nearly every one: nothing in it is left out, and it is short. */
const PLAIN_PATH = /^(?!\.)[\w.:-]{1,255}(?:\/(?!\.)[\w.:-]{1,255}){0,3}$/u;

/** No link has a longer target (path_resolution(7), PATH_MAX). */
function checkTarget(target: string, offset: number): string {
  if (target.includes("\0") || Buffer.byteLength(target) > MAX_PATH_BYTES)
    malformed(offset, `expected a link's target of at most ${MAX_PATH_BYTES} bytes`);
  return target;
}

function extend(before: Extended, flag: string, content: Buffer, offset: number): Extended {
  const text = content.toString("utf8").replace(/\0+$/u, "");
  if (flag === "L") return { ...before, path: text };
  if (flag === "K") return { ...before, target: text };
  // Global headers hold comments and times.
  return flag === "g" ? before : readPax(before, content, offset);
}

/** Records of "LENGTH KEY=VALUE\n", the length counting all of it. */
function readPax(before: Extended, content: Buffer, offset: number): Extended {
  const fields = new Map<string, string>();
  for (let start = 0; start < content.length;) {
    const space = content.indexOf(0x20, start);
    const length = space === -1 || space - start > 8 ? Number.NaN : Number(content.toString("latin1", start, space));
    const equals = content.indexOf(0x3d, space);
    const end = start + length;
    const isWhole = Number.isInteger(length) && end <= content.length && equals > space && equals < end;
    if (!isWhole || content[end - 1] !== 0x0a) malformed(offset, "expected pax records");
    fields.set(content.toString("utf8", space + 1, equals), content.toString("utf8", equals + 1, end - 1));
    start = end;
  }
  const size = fields.get("size");
  if (size !== undefined && !/^\d{1,15}$/u.test(size)) malformed(offset, "size: expected a decimal number");
  const [path, target] = [fields.get("path"), fields.get("linkpath")];
  const names = [...fields.keys()].filter((key) => key.startsWith(XATTR)).map((key) => key.slice(XATTR.length));
  return {
    ...before,
    ...(path !== undefined && { path }),
    ...(target !== undefined && { target }),
    ...(size !== undefined && { sizeBytes: Number(size) }),
    // Of the last such header before an entry: there is one.
    attributes: names,
  };
}

/** The sum of all bytes of the header, its own field counted as spaces. */
function checkSum(header: Buffer, offset: number): void {
  let sum = 8 * 0x20;
  // A fleet's evidence has a hundred thousand of them: an iterator takes ten times as long.
  for (let index = 0; index < BLOCK_BYTES; index++) if (index < 148 || index >= 156) sum += header[index] ?? 0;
  const found = numberAt(header, 148, 8, offset);
  if (found !== sum) malformed(offset, `checksum: expected ${sum}, found ${found}`);
}

/** Octal digits, or (GNU tar) a big-endian number with its first bit set. */
function numberAt(header: Buffer, start: number, length: number, offset: number): number {
  const field = header.subarray(start, start + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = 0;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value) || field[0] !== 0x80) malformed(offset, "expected a number of at most 2^53");
    return value;
  }
  const plain = octalAt(header, start, length);
  if (plain !== undefined) return plain;
  const text = field
    .toString("latin1")
    .replace(/[\0 ]+$/u, "")
    .trimStart();
  if (!/^[0-7]*$/u.test(text)) malformed(offset, `expected octal digits, found ${JSON.stringify(text)}`);
  return text === "" ? 0 : Number.parseInt(text, 8);
}

/** What nearly every number is: digits in all of its field but for one NUL or space at its end. */
function octalAt(header: Buffer, start: number, length: number): number | undefined {
  let value = 0;
  for (let index = start; index < start + length - 1; index++) {
    const digit = (header[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  const last = header[start + length - 1];
  return last === 0 || last === 0x20 ? value : undefined;
}

function textAt(header: Buffer, start: number, length: number): string {
  if (header[start] === 0) return "";
  const nul = header.indexOf(0, start);
  return header.toString("utf8", start, nul === -1 || nul > start + length ? start + length : nul);
}

function malformed(offset: number, message: string): never {
  throw new AshlarError("malformed", `tar at offset ${offset}: ${message}`);
}
