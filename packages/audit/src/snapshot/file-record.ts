import { AshlarError } from "@ashlar/base";
import { byteText } from "./byte-text.ts";
import { MAX_PATH_BYTES, type FileType } from "./snapshot.ts";

/** What a node says of a file that is the same on other nodes, too: the fields PATH and FORM of a record. */
export type FileRecord = {
  readonly path: string;
  readonly type: FileType;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
  readonly target: string;
};

/** TYPE MODE UID GID SIZE TARGET. */
const FORM =
  /^(?<type>[a-zA-Z?]) (?<mode>[0-7]{1,4}) (?<owner>\d{1,10}) (?<group>\d{1,10}) (?<size>\d{1,16}) (?<target>.*)$/su;

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

/** Where a record ends that begins with PATH and FORM, each with its NUL. */
export function endOfFileRecord(bytes: Buffer, start: number): number {
  return endOfField(bytes, endOfField(bytes, start));
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
export function readFileRecord(piece: Buffer, at: number): FileRecord {
  const end = piece.indexOf(0);
  const form = piece.subarray(end + 1, -1);
  const found = FORM.exec(form.toString("latin1"))?.groups;
  if (found === undefined) {
    const words = JSON.stringify(form.toString("latin1").slice(0, 100));
    throw new AshlarError(
      "malformed",
      `expected type, mode, owner, group and size of a file, found ${words} at byte ${at}`,
    );
  }
  return {
    path: rootedPath(piece.subarray(0, end)),
    type: TYPES[found["type"] ?? ""] ?? "unknown",
    mode: found["mode"] ?? "",
    owner: found["owner"] ?? "",
    group: found["group"] ?? "",
    sizeBytes: Number(found["size"]),
    target: byteText(form.subarray(form.length - (found["target"] ?? "").length)),
  };
}

/** @throws AshlarError `malformed` for what is not below the root */
export function rootedPath(bytes: Buffer): string {
  const name = byteText(bytes);
  if (name !== "" && !name.startsWith("/")) return `/${name}`;
  throw new AshlarError("malformed", `expected a path below the root, found ${JSON.stringify(name.slice(0, 100))}`);
}
