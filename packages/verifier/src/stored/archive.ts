import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { AshlarError, messageOf } from "@ashlar/base";
import { kindOf } from "@ashlar/host";
import { readTar, sha256, type TarEntry } from "@ashlar/formats";
import { MAX_LOG_BYTES } from "@ashlar/protocol";
import type { ReadFile } from "./answer.ts";
import { ANSWER, MAX_NODES, NODE_FILES, RELEASE_FILE, RELEASES, SHARED_CONTENT, SHARED_NAMES } from "./layout.ts";

/** Where something is in an archive. */
type Span = { readonly startBytes: number; readonly sizeBytes: number };

/** What is where, as plain values that a thread can be given. */
export type ArchiveIndex = {
  readonly path: string;
  /** Its descriptor: what was found is what is read, whatever the path names by then. */
  readonly file: number;
  /** What lies beside the nodes, by path. */
  readonly fleet: ReadonlyMap<string, Span>;
  /** What nodes share, by its SHA-256. */
  readonly shared: ReadonlyMap<string, Span>;
  /** Each node's entries, headers and contents, side by side. */
  readonly nodes: ReadonlyMap<string, Span>;
  /** Those of them that have an answer. */
  readonly answered: ReadonlySet<string>;
};

/** Of one node, with headers: more than its files may have together. */
const MAX_NODE_BYTES: number = 16 * 1024 * 1024;
/** Of one node, with entries that are none of ours. */
const MAX_NODE_ENTRIES = 1000;
const MAX_ENTRIES: number = MAX_NODES * 32;
const PIECE_BYTES: number = 1024 * 1024;
/** Logs of 256 kinds of machines are about 12 MB. */
const MAX_KEPT_BYTES: number = 32 * 1024 * 1024;
/** GNU tar begins the targets of hard links as it begins paths. */
const LINK = new RegExp(`^(?:\\./)?${SHARED_CONTENT}/(?<digest>[0-9a-f]{64})$`, "u");
const DIGEST = /^[0-9a-f]{64}$/u;

/**
 * The evidence of a fleet in one file: a tar archive of what is in a directory of evidence, in which files that nodes share are hard
 * links to `_shared/SHA-256`, stored once. `tar xf` makes the directory of it.
 */
export class EvidenceArchive implements Disposable {
  readonly index: ArchiveIndex;
  readonly #kept = new Map<string, Uint8Array>();
  #keptBytes = 0;
  #scratch: Buffer = Buffer.alloc(0);

  constructor(index: ArchiveIndex) {
    this.index = index;
  }

  /**
   * Opens an archive and looks through it once.
   *
   * @throws AshlarError `not-found`, `malformed`, `limit`, `invalid` for anything but a regular file, `failed` when it cannot be read
   */
  static open(path: string): EvidenceArchive {
    const file = openFile(path);
    try {
      return new EvidenceArchive(indexOf(path, file));
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.index.file);
  }

  get path(): string {
    return this.index.path;
  }

  /** A file that lies beside the nodes. @throws AshlarError `limit`, `failed` */
  read(path: string, maxBytes: number): Buffer | undefined {
    const span = this.index.fleet.get(path);
    return span && this.#bytes(span, maxBytes, path);
  }

  /** All bytes of a node's entries, which with what they name by its digest are all that is stored of it. @throws AshlarError `limit`, `failed` */
  entriesOf(name: string): Buffer | undefined {
    const span = this.index.nodes.get(name);
    return span && this.#bytes(span, MAX_NODE_BYTES, name);
  }

  /** SHA-256 of a node's entries, in hexadecimal. @throws AshlarError `limit`, `failed` */
  digestOfEntries(name: string): string | undefined {
    const span = this.index.nodes.get(name);
    if (span === undefined) return undefined;
    const { startBytes, sizeBytes } = span;
    if (sizeBytes > MAX_NODE_BYTES) throw this.#tooLarge(name, MAX_NODE_BYTES);
    // One piece of memory for all: ten thousand new ones take longer than reading.
    if (this.#scratch.length < sizeBytes) this.#scratch = Buffer.allocUnsafeSlow(sizeBytes);
    const bytes = this.#scratch.subarray(0, sizeBytes);
    fill(this.path, this.index.file, startBytes, bytes);
    return sha256(bytes);
  }

  /** The files in a node's entries. @throws AshlarError `malformed`, `not-found`, `limit`, `failed` */
  filesIn(name: string, entries: Uint8Array): ReadFile {
    const files = new Map<string, TarEntry>();
    const read = (offset: number, size: number): Uint8Array => entries.subarray(offset, offset + size);
    for (const entry of readTar(read, entries.length, MAX_NODE_ENTRIES)) {
      const file = nodeFileOf(entry);
      if (file === undefined || file.node !== name) continue;
      if (files.has(file.name)) this.#fail(`${name}/${file.name}: expected it once, found it again`);
      files.set(file.name, entry);
    }
    return (file, maxBytes) => {
      const entry = files.get(file);
      if (entry === undefined) return undefined;
      const path = `${name}/${file}`;
      const content =
        entry.type === "file" ? read(entry.offsetBytes, entry.sizeBytes) : this.#shared(entry.linkTarget, path);
      if (content.length > maxBytes) throw this.#tooLarge(path, maxBytes);
      return content;
    };
  }

  /** Whether everything that nodes share is what its name says. @throws AshlarError `malformed`, `limit`, `failed` */
  checkShared(): void {
    for (const digest of this.index.shared.keys()) this.#read(digest);
  }

  #shared(target: string, path: string): Uint8Array {
    const digest = LINK.exec(target)?.groups?.["digest"];
    if (digest === undefined)
      this.#fail(`${path}: expected a file, or a link into ${SHARED_CONTENT}, found another link`);
    const known = this.#kept.get(digest);
    if (known !== undefined) return known;
    const content = this.#read(digest);
    if (this.#keptBytes + content.length > MAX_KEPT_BYTES) {
      this.#kept.clear();
      this.#keptBytes = 0;
    }
    this.#kept.set(digest, content);
    this.#keptBytes += content.length;
    return content;
  }

  #read(digest: string): Uint8Array {
    const path = `${SHARED_CONTENT}/${digest}`;
    const span = this.index.shared.get(digest);
    if (span === undefined) throw new AshlarError("not-found", `${this.path}: expected ${path}, found no such file`);
    const content = this.#bytes(span, MAX_LOG_BYTES, path);
    const found = sha256(content);
    if (found !== digest) this.#fail(`${path}: expected content with this digest, found ${found}`);
    return content;
  }

  #bytes({ startBytes, sizeBytes }: Span, maxBytes: number, what: string): Buffer {
    if (sizeBytes > maxBytes) throw this.#tooLarge(what, maxBytes);
    return readWhole(this.path, this.index.file, startBytes, sizeBytes);
  }

  #tooLarge(what: string, maxBytes: number): AshlarError {
    return new AshlarError("limit", `${this.path}: ${what}: expected at most ${maxBytes} bytes, found more`);
  }

  #fail(message: string): never {
    throw new AshlarError("malformed", `${this.path}: ${message}`);
  }
}

function openFile(path: string): number {
  let file;
  try {
    // Without O_NONBLOCK a FIFO would wait for a writer.
    // oxlint-disable-next-line no-bitwise -- flags of open(2)
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    throw new AshlarError("not-found", `expected an archive of evidence at ${path}: ${messageOf(error)}`);
  }
  const found = fstatSync(file);
  if (found.isFile()) return file;
  closeSync(file);
  throw new AshlarError("invalid", `${path}: expected an archive of evidence, found ${kindOf(found)}`);
}

function indexOf(path: string, file: number): ArchiveIndex {
  const fleet = new Map<string, Span>();
  const shared = new Map<string, Span>();
  const nodes = new Map<string, Span>();
  const answered = new Set<string>();
  let last: { readonly name: string; readonly startBytes: number } | undefined;
  const once = (map: Map<string, Span>, key: string, entry: TarEntry): void => {
    if (map.has(key)) throw new AshlarError("malformed", `${path}: ${entry.path}: expected it once, found it again`);
    map.set(key, { startBytes: entry.offsetBytes, sizeBytes: entry.sizeBytes });
  };
  for (const entry of readTar(inPieces(path, file), fstatSync(file).size, MAX_ENTRIES)) {
    const own = nodeFileOf(entry);
    if (own === undefined) {
      const [folder = "", name = "", ...deeper] = entry.path.split("/");
      if (entry.type !== "file" || deeper.length > 0) continue;
      if (name === "" ? SHARED_NAMES.has(folder) : folder === RELEASES && RELEASE_FILE.test(name))
        once(fleet, entry.path, entry);
      else if (folder === SHARED_CONTENT && DIGEST.test(name)) once(shared, name, entry);
      continue;
    }
    if (last?.name !== own.node) {
      if (nodes.has(own.node)) {
        throw new AshlarError(
          "malformed",
          `${path}: ${own.node}: expected its files side by side, found others between`,
        );
      }
      if (nodes.size === MAX_NODES) throw new AshlarError("limit", `${path}: expected at most ${MAX_NODES} nodes`);
      last = { name: own.node, startBytes: entry.startBytes };
    }
    nodes.set(own.node, { startBytes: last.startBytes, sizeBytes: entry.endBytes - last.startBytes });
    if (own.name === ANSWER) answered.add(own.node);
  }
  return { path, file, fleet, shared, nodes, answered };
}

/** Which node's file an entry is; undefined for anything else. */
function nodeFileOf({ path, type }: TarEntry): { readonly node: string; readonly name: string } | undefined {
  if (type === "directory") return undefined;
  const slash = path.indexOf("/");
  const name = path.slice(slash + 1);
  // A name with a further slash is no file's.
  return slash > 0 && NODE_FILES.has(name) ? { node: path.slice(0, slash), name } : undefined;
}

/** Reads on from where it has read before, mostly. */
function inPieces(path: string, file: number): (offset: number, size: number) => Uint8Array {
  const piece = Buffer.alloc(PIECE_BYTES);
  let start = 0;
  let length = 0;
  return (offset, size) => {
    if (size > PIECE_BYTES) return readWhole(path, file, offset, size);
    if (offset < start || offset + size > start + length) {
      start = offset;
      length = readSome(path, file, piece, offset);
    }
    if (offset + size > start + length) throw shorter(path);
    return piece.subarray(offset - start, offset - start + size);
  };
}

function readWhole(path: string, file: number, startBytes: number, sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  fill(path, file, startBytes, bytes);
  return bytes;
}

function fill(path: string, file: number, startBytes: number, bytes: Uint8Array): void {
  for (let total = 0; total < bytes.length;) {
    const count = readSome(path, file, bytes.subarray(total), startBytes + total);
    if (count === 0) throw shorter(path);
    total += count;
  }
}

function readSome(path: string, file: number, into: Uint8Array, offset: number): number {
  try {
    return readSync(file, into, 0, into.length, offset);
  } catch (error) {
    throw new AshlarError("failed", `${path}: expected a file that can be read: ${messageOf(error)}`, { cause: error });
  }
}

function shorter(path: string): AshlarError {
  return new AshlarError("failed", `${path}: expected a file that stays as it is, found that it has become shorter`);
}
