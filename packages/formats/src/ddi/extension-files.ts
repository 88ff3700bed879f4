import { AshlarError } from "@ashlar/base";
import { readErofsContent } from "../erofs/file-content.ts";
import { type ErofsImage, openErofs, type ReadBytes } from "../erofs/image.ts";
import { type ErofsInode, readInode } from "../erofs/inode.ts";
import { listErofs } from "../erofs/list-files.ts";

/** What an extension's file system holds, as systemd-sysext(8) and systemd-confext(8) look at it. */
export type ExtensionFiles = {
  readonly kind: "sysext" | "confext";
  /** As in the name of the file `extension-release.NAME`. */
  readonly name: string;
  /** The assignments in that file. */
  readonly release: ReadonlyMap<string, string>;
  /** Everything but the root directory, each directory before what it holds. */
  readonly entries: readonly ExtensionEntry[];
  readonly image: ErofsImage;
};

export type ExtensionEntry = {
  /** Absolute, as it will be on the node. */
  readonly path: string;
  readonly type: "file" | "directory" | "link";
  readonly inode: ErofsInode;
};

const KINDS = {
  sysext: { trees: ["/usr", "/opt"], releaseDirectory: "/usr/lib/extension-release.d" },
  confext: { trees: ["/etc"], releaseDirectory: "/etc/extension-release.d" },
} as const;

const RELEASE_PREFIX = "extension-release.";
const MAX_RELEASE_BYTES = 4096;
const SET_ID_BITS = 0o6000;

/**
 * Reads names and extension-release file of an extension's file system, and refuses what has no business in one: files
 * elsewhere, device nodes and extended attributes (in an overlay they can hide what lies below), set-user-ID programs.
 *
 * @throws AshlarError `malformed`, `limit`, `invalid`, and whatever `read` throws
 */
export function readExtensionFiles(read: ReadBytes, sizeBytes: number): ExtensionFiles {
  const image = openErofs(read, sizeBytes);
  const { entries: listed, unreadable } = listErofs(image);
  const [first] = unreadable;
  if (first !== undefined) throw new AshlarError("malformed", `extension: ${first.path}: ${first.reason}`);
  const entries = listed
    .filter(({ path }) => path !== "/")
    .map(({ path, nid }) => entryOf(path, readInode(image, nid)));
  checkNames(entries);
  const { kind, name, inode } = findRelease(entries);
  const stray = entries.find(
    ({ path }) => !KINDS[kind].trees.some((tree) => path === tree || path.startsWith(`${tree}/`)),
  );
  if (stray !== undefined) {
    invalid(`expected only files below ${KINDS[kind].trees.join(" and ")} in a ${kind}, found ${stray.path}`);
  }
  const release = parseRelease(readText(image, inode, RELEASE_PREFIX + name, MAX_RELEASE_BYTES));
  return { kind, name, release, entries, image };
}

/** The text of a file; undefined when there is none. */
export function readExtensionText(files: ExtensionFiles, path: string, maxBytes: number): string | undefined {
  const entry = files.entries.find((each) => each.path === path);
  if (entry === undefined) return undefined;
  if (entry.type !== "file") invalid(`expected ${path} to be a file, found a ${entry.type}`);
  return readText(files.image, entry.inode, path, maxBytes);
}

function entryOf(path: string, inode: ErofsInode): ExtensionEntry {
  const { type, mode, hasAttributes } = inode;
  if (type === "other") invalid(`expected files, directories and links, found a device, socket or pipe at ${path}`);
  if (hasAttributes) invalid(`expected no extended attributes, found some at ${path}`);
  if (type === "file" && (mode & SET_ID_BITS) !== 0)
    invalid(`expected no set-user-ID or set-group-ID file, found ${path}`);
  return { path, type, inode };
}

/** Two entries of one name would be a file to one reader and another to the next. */
function checkNames(entries: readonly ExtensionEntry[]): void {
  const seen = new Set<string>();
  for (const { path } of entries) {
    if (seen.has(path)) throw new AshlarError("malformed", `extension: expected one ${path}, found two`);
    seen.add(path);
  }
}

function findRelease(entries: readonly ExtensionEntry[]): {
  readonly kind: ExtensionFiles["kind"];
  readonly name: string;
  readonly inode: ErofsInode;
} {
  const found = (["sysext", "confext"] as const).flatMap((kind) => {
    const prefix = `${KINDS[kind].releaseDirectory}/`;
    return entries.flatMap(({ path, type, inode }) =>
      path.startsWith(prefix) ? [{ kind, type, inode, fileName: path.slice(prefix.length) }] : [],
    );
  });
  const [only, other] = found;
  if (only === undefined) invalid("expected an extension-release file, found none");
  if (other !== undefined) invalid(`expected one extension-release file, found ${only.fileName} and ${other.fileName}`);
  if (only.type !== "file" || !only.fileName.startsWith(RELEASE_PREFIX)) {
    invalid(`expected a file ${RELEASE_PREFIX}NAME, found ${only.fileName}`);
  }
  return { kind: only.kind, name: only.fileName.slice(RELEASE_PREFIX.length), inode: only.inode };
}

function readText(image: ErofsImage, inode: ErofsInode, name: string, maxBytes: number): string {
  if (inode.sizeBytes > maxBytes) {
    throw new AshlarError("limit", `extension: ${name}: expected at most ${maxBytes} bytes, found ${inode.sizeBytes}`);
  }
  const pieces: Uint8Array[] = [];
  readErofsContent(image, inode, (piece) => pieces.push(piece));
  return Buffer.concat(pieces).toString("utf8");
}

/** Assignments as in os-release(5), of which only the plain form is known: what needs no quotes, or has double ones. */
function parseRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [index, line] of text.replace(/\n$/u, "").split("\n").entries()) {
    const { name, plain, quoted } =
      /^(?<name>[A-Z][A-Z0-9_]*)=(?:(?<plain>[\w.~+-]*)|"(?<quoted>[\w.~+ -]*)")$/u.exec(line)?.groups ?? {};
    if (name === undefined)
      throw new AshlarError("malformed", `extension-release: expected NAME=value in line ${index + 1}`);
    if (fields.has(name)) throw new AshlarError("malformed", `extension-release: expected one ${name}, found two`);
    fields.set(name, plain ?? quoted ?? "");
  }
  return fields;
}

function invalid(message: string): never {
  throw new AshlarError("invalid", `extension: ${message}`);
}
