/**
 * The snapshot format, version 1, as collect.sh writes it: fields that each end with a NUL. The first is `ashlar-audit/1`, the last
 * `end`; between them are records, of which the first field is the kind:
 *
 *     text NAME CONTENT                      what a program on the node has printed
 *     file OWN PATH FORM                     `LINKS DEVICE INODE MTIME`, the path, `TYPE MODE UID GID SIZE TARGET`
 *     unread PATH                            a directory that could not be entered
 *     changed PATH                           a file that is newer than the beginning
 *
 * The text `sha256` has lines of sha256sum(1), one for one of the names of each file.
 */
import { AshlarError } from "@ashlar/base";
import { readCapabilities } from "./capabilities.ts";
import { endOfLine, readDigestLine } from "./digest-line.ts";
import { factsOf } from "./facts.ts";
import { Fields } from "./fields.ts";
import { FileForms, type NodeFiles } from "./file-forms.ts";
import { Interned } from "./interned.ts";
import { linesOf } from "./lines.ts";
import { DPKG_FILES, RPM_FILES } from "./owned-files.ts";
import { NO_PACKAGES, readDpkg, readRpm, RealPaths, type Packages } from "./packages.ts";
import {
  MAX_FILES,
  MAX_SNAPSHOT_BYTES,
  MAX_TEXT_BYTES,
  type PackageFiles,
  type Snapshot,
  type Unread,
} from "./snapshot.ts";
import { stateOf } from "./state.ts";

const MAGIC = "ashlar-audit/1";
const MAX_TEXTS = 64;

/** A part of the bytes. */
type Part = { readonly start: number; readonly end: number };

/** Texts that are long and nearly the same on all nodes are read in pieces, from the bytes. */
const PIECEWISE: ReadonlySet<string> = new Set(["sha256", "dpkg-files", "rpm-files"]);

type Records = {
  readonly texts: Map<string, string>;
  readonly parts: Map<string, Part[]>;
  readonly unread: string[];
  readonly changed: string[];
};

/** Reads the snapshots of many nodes. What they say alike is read once, and is one object in all of them. */
export class SnapshotReader {
  readonly #forms = new FileForms();
  readonly #digests = new Interned({
    endOf: endOfLine,
    read: (piece, at) => {
      const { path, digest } = readDigestLine(piece, at);
      return { path: this.#forms.paths.give(path), digest };
    },
  });
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
    fields.word(/^ashlar-audit\/1$/u, `a snapshot, which begins with ${MAGIC}`);
    const records: Records = { texts: new Map(), parts: new Map(), unread: [], changed: [] };
    const files = this.#forms.newNode(fields);
    for (;;) {
      if (fields.skipFile()) {
        files.readFile();
        if (files.count > MAX_FILES) throw new AshlarError("limit", `expected at most ${MAX_FILES} files`);
        continue;
      }
      const kind = fields.word(/^(?:text|unread|changed|end)$/u, "the kind of a record");
      if (kind === "end") break;
      if (kind === "text") readText(fields, records);
      else (kind === "unread" ? records.unread : records.changed).push(fields.path());
    }
    if (!fields.isAtEnd)
      throw new AshlarError("malformed", "expected nothing after the end of the snapshot, found more");
    return this.#snapshotOf(fields, records, files);
  }

  #snapshotOf(fields: Fields, { texts, parts, unread, changed }: Records, nodeFiles: NodeFiles): Snapshot {
    eachPiece(this.#digests, fields, parts.get("sha256"), ({ path, digest }) => nodeFiles.addDigest(path, digest));
    const { files, links, unhashed, mounts } = nodeFiles.finish(readCapabilities(texts.get("capabilities") ?? ""));
    const packages = this.#packagesOf(fields, texts, parts, links);
    return {
      host: texts.get("host")?.trim(),
      facts: factsOf(texts, packages),
      files,
      ...packages,
      state: stateOf(texts),
      unread: [
        ...unreadOf(unhashed, "unreadable"),
        ...unreadOf(mounts, "mount"),
        ...unreadOf(unread, "unreadable"),
        ...unreadOf(changed, "changed while it was read"),
      ],
      missing: linesOf(texts.get("missing")),
      isByRoot: texts.get("user")?.trim() === "0",
    };
  }

  #packagesOf(
    fields: Fields,
    texts: Records["texts"],
    parts: Records["parts"],
    links: ReadonlyMap<string, string>,
  ): Packages {
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
  if (PIECEWISE.has(name)) {
    parts.set(name, [...(parts.get(name) ?? []), { start, end: start + content.length }]);
    if ((parts.get(name) ?? []).length > MAX_TEXTS)
      throw new AshlarError("limit", `expected at most ${MAX_TEXTS} texts`);
    return;
  }
  const before = texts.get(name);
  const text = content.toString("utf8");
  // Several programs may be missing.
  texts.set(name, before === undefined ? text : `${before}\n${text}`);
  if (texts.size > MAX_TEXTS) throw new AshlarError("limit", `expected at most ${MAX_TEXTS} texts`);
}

function pieces<T>(interned: Interned<T>, fields: Fields, parts: readonly Part[] | undefined): readonly T[] {
  const found: T[] = [];
  eachPiece(interned, fields, parts, (piece) => found.push(piece));
  return found;
}

function eachPiece<T>(
  interned: Interned<T>,
  { bytes, view }: Fields,
  parts: readonly Part[] | undefined,
  take: (piece: T) => void,
): void {
  for (const { start, end } of parts ?? []) {
    for (let at = start; at < end;) {
      const id = interned.at(bytes, view, at);
      take(interned.value(id));
      at += interned.lengthOf(id);
    }
  }
}

function unreadOf(paths: readonly string[], why: Unread["why"]): Unread[] {
  return paths.map((path) => ({ path, why }));
}
