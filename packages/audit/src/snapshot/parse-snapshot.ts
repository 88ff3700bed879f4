/**
 * The snapshot format, version 1, as collect.sh writes it: fields that each end with a NUL. The first is `ashlar-audit/1`, the last
 * `end`; between them are records, of which the first field is the kind:
 *
 *     text NAME CONTENT                      what a program on the node has printed
 *     file TYPE MODE UID GID SIZE MTIME DEVICE:INODE PATH TARGET
 *     unread PATH                            a directory that could not be entered
 *     sha256 DIGEST PATH                     of one of the names of a file
 *     changed PATH                           a file that is newer than the beginning
 */
import { AshlarError } from "@ashlar/base";
import { Fields } from "./fields.ts";
import { makeSnapshot } from "./make-snapshot.ts";
import type { RawFile, Records } from "./records.ts";
import { MAX_FILES, MAX_PATH_BYTES, MAX_SNAPSHOT_BYTES, MAX_TEXT_BYTES, type Snapshot } from "./snapshot.ts";

const MAGIC = "ashlar-audit/1";
const MAX_TEXTS = 64;

/** @throws AshlarError `malformed` also for what has no end, `limit` */
export function parseSnapshot(bytes: Buffer): Snapshot {
  if (bytes.length > MAX_SNAPSHOT_BYTES) {
    throw new AshlarError("limit", `expected a snapshot of at most ${MAX_SNAPSHOT_BYTES} bytes, found ${bytes.length}`);
  }
  const fields = new Fields(bytes);
  fields.word(/^ashlar-audit\/1$/u, `a snapshot, which begins with ${MAGIC}`);
  const records: Records = { texts: new Map(), files: [], digests: new Map(), unread: [], changed: [] };
  for (;;) {
    const kind = fields.word(/^(?:text|file|unread|sha256|changed|end)$/u, "the kind of a record");
    if (kind === "end") break;
    readRecord(kind, fields, records);
  }
  if (!fields.isAtEnd) throw new AshlarError("malformed", "expected nothing after the end of the snapshot, found more");
  return makeSnapshot(records);
}

function readRecord(kind: string, fields: Fields, records: Records): void {
  if (kind === "text") {
    const name = fields.word(/^[a-z0-9-]{1,32}$/u, "the name of a text");
    const content = fields.next(MAX_TEXT_BYTES).toString("utf8");
    const before = records.texts.get(name);
    // Several programs may be missing.
    records.texts.set(name, before === undefined ? content : `${before}\n${content}`);
    if (records.texts.size > MAX_TEXTS) throw new AshlarError("limit", `expected at most ${MAX_TEXTS} texts`);
  } else if (kind === "file") {
    records.files.push(readFile(fields));
    if (records.files.length > MAX_FILES) throw new AshlarError("limit", `expected at most ${MAX_FILES} files`);
  } else if (kind === "sha256") {
    const digest = fields.word(/^[0-9a-f]{64}$/u, "a SHA-256 digest");
    records.digests.set(readPath(fields), digest);
  } else {
    const list = kind === "unread" ? records.unread : records.changed;
    list.push(readPath(fields));
  }
}

function readFile(fields: Fields): RawFile {
  return {
    type: fields.word(/^[a-zA-Z?]$/u, "a type of file"),
    mode: fields.word(/^[0-7]{1,4}$/u, "a mode in octal digits"),
    owner: fields.word(/^\d{1,10}$/u, "a user's number"),
    group: fields.word(/^\d{1,10}$/u, "a group's number"),
    sizeBytes: Number(fields.word(/^\d{1,16}$/u, "a size")),
    modified: fields.word(/^-?\d{1,16}(?:\.\d{1,16})?$/u, "a time"),
    inode: fields.word(/^\d{1,20}:\d{1,20}$/u, "device and inode"),
    path: readPath(fields),
    target: fields.name(MAX_PATH_BYTES),
  };
}

function readPath(fields: Fields): string {
  const name = fields.name(MAX_PATH_BYTES);
  if (name !== "" && !name.startsWith("/")) return `/${name}`;
  throw new AshlarError("malformed", `expected a path below the root, found ${JSON.stringify(name.slice(0, 100))}`);
}
