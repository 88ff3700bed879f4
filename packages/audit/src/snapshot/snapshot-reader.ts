/**
 * A snapshot, version 1, as `arrange` makes it of what a node has sent: fields that each end with a NUL. The first is
 * `ashlar-snapshot/1`, the last `end`; between them are records, of which the first field is the kind:
 *
 *     text NAME CONTENT                      what a program on the node has printed
 *     link NAME TARGET                       a link at the top, as `bin` to `usr/bin`
 *     file PATH FORM CONTENT                 the path, `TYPE MODE UID GID SIZE TARGET`, `DIGEST CAPABILITIES`
 *     unread WHY PATH                        what the node did not tell all of
 *
 * Files come in the order of their paths' bytes. In place of the digest a file that was too large to be read has its time, and one
 * that could not be read nothing.
 */
import { AshlarError } from "@ashlar/base";
import { byteText } from "./byte-text.ts";
import { factsOf } from "./facts.ts";
import { Fields } from "./fields.ts";
import { FileReader } from "./file-reader.ts";
import { Interned } from "./interned.ts";
import { linesOf } from "./lines.ts";
import { DPKG_FILES, RPM_FILES } from "./owned-files.ts";
import { NO_PACKAGES, readDpkg, readRpm, RealPaths, type Packages } from "./packages.ts";
import {
  MAX_FILES,
  MAX_PATH_BYTES,
  MAX_SNAPSHOT_BYTES,
  MAX_TEXT_BYTES,
  SNAPSHOT_MAGIC,
  UNREAD_REASONS,
  type PackageFiles,
  type Snapshot,
  type SnapshotFile,
  type Unread,
} from "./snapshot.ts";
import { stateOf } from "./state.ts";

const MAX_TEXTS = 64;
const MAX_LINKS = 1000;

/** A part of the bytes. */
type Part = { readonly start: number; readonly end: number };

/** Texts that are long and nearly the same on all nodes are read in pieces, from the bytes. */
const PIECEWISE: ReadonlySet<string> = new Set(["dpkg-files", "rpm-files"]);

type Records = {
  readonly texts: Map<string, string>;
  readonly parts: Map<string, Part>;
  readonly links: Map<string, string>;
  readonly files: SnapshotFile[];
  readonly unread: Unread[];
};

/** Reads the snapshots of many nodes. What they say alike is read once, and is one object in all of them. */
export class SnapshotReader {
  readonly #files = new FileReader();
  readonly #dpkgFiles = new Interned<PackageFiles>(DPKG_FILES);
  readonly #rpmFiles = new Interned<PackageFiles>(RPM_FILES);
  readonly #realPaths = new RealPaths();

  /** @throws AshlarError `malformed` also for what has no end, `limit` */
  read(bytes: Buffer): Snapshot {
    if (bytes.length > MAX_SNAPSHOT_BYTES) {
      const limit = `expected a snapshot of at most ${MAX_SNAPSHOT_BYTES} bytes`;
      throw new AshlarError("limit", `${limit}, found ${bytes.length}`);
    }
    const fields = new Fields(bytes);
    fields.word(/^ashlar-snapshot\/1$/u, `a snapshot, which begins with ${SNAPSHOT_MAGIC}`);
    const records: Records = { texts: new Map(), parts: new Map(), links: new Map(), files: [], unread: [] };
    const starts: number[] | undefined = this.#files.hasFirst ? undefined : [];
    let place = 0;
    for (;;) {
      if (fields.isAtFile) {
        place = this.#files.read(fields, records.files, starts, place);
        if (records.files.length > MAX_FILES) throw new AshlarError("limit", `expected at most ${MAX_FILES} files`);
        continue;
      }
      const kind = fields.word(/^(?:text|link|unread|end)$/u, "the kind of a record");
      if (kind === "end") break;
      if (kind === "text") readText(fields, records);
      else if (kind === "link") readLink(fields, records);
      else records.unread.push(readUnread(fields));
    }
    if (!fields.isAtEnd)
      throw new AshlarError("malformed", "expected nothing after the end of the snapshot, found more");
    if (starts !== undefined) this.#files.keep(fields.bytes, starts, records.files);
    return this.#snapshotOf(fields, records);
  }

  #snapshotOf(fields: Fields, { texts, parts, links, files, unread }: Records): Snapshot {
    const packages = this.#packagesOf(fields, texts, parts, links);
    return {
      host: texts.get("host")?.trim(),
      facts: factsOf(texts, packages),
      files,
      ...packages,
      state: stateOf(texts),
      unread,
      missing: linesOf(texts.get("missing")),
      isByRoot: texts.get("user")?.trim() === "0",
    };
  }

  #packagesOf(fields: Fields, texts: Records["texts"], parts: Records["parts"], links: Records["links"]): Packages {
    const paths = this.#realPaths.of(links);
    if (texts.has("dpkg")) return readDpkg(texts, pieces(this.#dpkgFiles, fields, parts.get("dpkg-files")), paths);
    return texts.has("rpm")
      ? readRpm(texts, pieces(this.#rpmFiles, fields, parts.get("rpm-files")), paths)
      : NO_PACKAGES;
  }
}

function readText(fields: Fields, { texts, parts }: Records): void {
  const name = fields.word(/^[a-z0-9-]{1,32}$/u, "the name of a text");
  const start = fields.offset;
  const content = fields.next(MAX_TEXT_BYTES);
  if (PIECEWISE.has(name)) parts.set(name, { start, end: start + content.length });
  else texts.set(name, content.toString("utf8"));
  if (texts.size > MAX_TEXTS) throw new AshlarError("limit", `expected at most ${MAX_TEXTS} texts`);
}

function readLink(fields: Fields, { links }: Records): void {
  const path = fields.path().slice(1);
  links.set(path, `/${byteText(fields.next(MAX_PATH_BYTES)).replace(/^\//u, "")}`);
  if (links.size > MAX_LINKS) throw new AshlarError("limit", `expected at most ${MAX_LINKS} links at the top`);
}

function readUnread(fields: Fields): Unread {
  const word = fields.word(/^[a-z ]{1,32}$/u, "why something was not read");
  const why = UNREAD_REASONS.find((each) => each === word);
  if (why !== undefined) return { path: fields.path(), why };
  throw new AshlarError("malformed", `expected one of ${UNREAD_REASONS.join(", ")}, found ${word}`);
}

function pieces<T>(interned: Interned<T>, { bytes, view }: Fields, part: Part | undefined): readonly T[] {
  const found: T[] = [];
  if (part === undefined) return found;
  for (let at = part.start; at < part.end;) {
    const id = interned.at(bytes, view, at);
    found.push(interned.value(id));
    at += interned.lengthOf(id);
  }
  return found;
}
