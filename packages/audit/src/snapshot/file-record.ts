import { AshlarError } from "@ashlar/base";
import { byteText } from "./byte-text.ts";
import { MAX_PATH_BYTES, type FileType, type SnapshotFile } from "./snapshot.ts";

/** TYPE MODE UID GID SIZE TARGET. */
const FORM =
  /^(?<type>[a-zA-Z?]) (?<mode>[0-7]{1,4}) (?<owner>\d{1,10}) (?<group>\d{1,10}) (?<size>\d{1,16}) (?<target>.*)$/su;
/** A digest, or the time of a file that was too large to be read, or neither; then capabilities. */
const CONTENT =
  /^(?:(?<digest>[0-9a-f]{64})|(?<modified>-?\d{1,16}(?:\.\d{1,16})?))?(?: (?<capabilities>[!-~]{1,4096}))?$/u;

/** The letters of `find -printf %y`. */
const TYPES: Readonly<Record<string, FileType>> = {
  f: "file",
  d: "directory",
  l: "link",
  p: "fifo",
  s: "socket",
  b: "block device",
  c: "character device",
};

/** Where a record ends that begins with the word `file`: PATH, FORM and CONTENT, each with its NUL. */
export function endOfFileRecord(bytes: Buffer, start: number): number {
  return endOfField(bytes, endOfField(bytes, endOfField(bytes, endOfField(bytes, start))));
}

/** @throws AshlarError `malformed` when no field ends, `limit` */
export function endOfField(bytes: Buffer, start: number, maxBytes: number = MAX_PATH_BYTES): number {
  const end = bytes.indexOf(0, start);
  if (end === -1)
    throw new AshlarError("malformed", `expected a field that ends, found the end at byte ${bytes.length}`);
  if (end - start <= maxBytes) return end + 1;
  throw new AshlarError(
    "limit",
    `expected a field of at most ${maxBytes} bytes, found ${end - start} at byte ${start}`,
  );
}

/** @throws AshlarError `malformed` */
export function readFileRecord(piece: Buffer, at: number): SnapshotFile {
  const pathAt = piece.indexOf(0) + 1;
  const formAt = piece.indexOf(0, pathAt) + 1;
  const contentAt = piece.indexOf(0, formAt) + 1;
  const form = piece.toString("latin1", formAt, contentAt - 1);
  const found = FORM.exec(form)?.groups;
  if (found === undefined) throw malformed("type, mode, owner, group and size of a file", form, at);
  const content = piece.toString("latin1", contentAt, piece.length - 1);
  const known = CONTENT.exec(content)?.groups;
  if (known === undefined) throw malformed("the digest of a file", content, at);
  const { type = "", mode = "", owner = "", group = "", size, target = "" } = found;
  return {
    path: rootedPath(piece.subarray(pathAt, formAt - 1)),
    type: TYPES[type] ?? "unknown",
    mode,
    owner,
    group,
    sizeBytes: Number(size),
    target: byteText(piece.subarray(contentAt - 1 - target.length, contentAt - 1)),
    digest: known["digest"],
    modified: known["modified"],
    capabilities: known["capabilities"],
  };
}

function malformed(expected: string, found: string, at: number): AshlarError {
  const text = JSON.stringify(found.slice(0, 100));
  return new AshlarError("malformed", `expected ${expected}, found ${text} at byte ${at}`);
}

/** @throws AshlarError `malformed` for what is not below the root */
export function rootedPath(bytes: Buffer): string {
  const name = byteText(bytes);
  if (name !== "" && !name.startsWith("/")) return `/${name}`;
  throw new AshlarError("malformed", `expected a path below the root, found ${JSON.stringify(name.slice(0, 100))}`);
}
