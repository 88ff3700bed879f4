import { AshlarError } from "@ashlar/base";
import { compareText } from "../snapshot/compare-text.ts";
import { MAX_FILES, MAX_HASHED_BYTES, SNAPSHOT_MAGIC, type UnreadReason } from "../snapshot/snapshot.ts";
import { readCapabilities } from "./capabilities.ts";
import { readDigestLines } from "./digest-lines.ts";
import { readFileLines, type FileLine } from "./file-lines.ts";
import type { List } from "./piece.ts";
import { COLLECTED_MAGIC, readCollected, type Collected } from "./read-collected.ts";

/** What is of no use without what it was put into. */
const JOINED: ReadonlySet<string> = new Set(["capabilities"]);
const PACKAGE_LISTS = ["dpkg-files", "rpm-files"] as const;

/**
 * Makes a snapshot of what a node has sent: each file once, with its digest, in the order of names. What is each node's own, as
 * inodes and the order of directories, is gone: of nodes that are alike the snapshots are nearly the same bytes.
 *
 * @throws AshlarError `malformed`, `limit`
 */
export function arrange(collected: Collected): Buffer {
  const { texts, unread, changed } = collected;
  const files = filesOf(collected);
  const { records, links, unhashed, mounts } = new Arranger(collected).arrange(files);
  const unreadBy = (why: UnreadReason, paths: readonly string[]): string[] =>
    paths.toSorted(compareText).map((path) => `unread\0${why}\0${path}\0`);
  return Buffer.from(
    [
      `${SNAPSHOT_MAGIC}\0`,
      ...[...texts].filter(([name]) => !JOINED.has(name)).map(([name, content]) => `text\0${name}\0${content}\0`),
      ...PACKAGE_LISTS.flatMap((list) => {
        const content = packageLists(contentOf(collected, list));
        return content === "" ? [] : [`text\0${list}\0${content}\0`];
      }),
      ...links,
      ...records,
      ...unreadBy("unreadable", [...unread, ...unhashed]),
      ...unreadBy("mount", mounts),
      ...unreadBy("changed while it was read", changed),
      "end\0",
    ].join(""),
    "latin1",
  );
}

/**
 * The snapshot that these bytes are, or that is made of them when a collector wrote them.
 *
 * @throws AshlarError `malformed`, `limit`
 */
export function snapshotOf(bytes: Buffer): Buffer {
  const isCollected = bytes.subarray(0, COLLECTED_MAGIC.length).equals(Buffer.from(COLLECTED_MAGIC));
  return isCollected ? arrange(readCollected(bytes)) : bytes;
}

function contentOf({ pieces }: Collected, list: List): string {
  return pieces.flatMap((piece) => (piece.list === list ? piece.content : [])).join("");
}

function filesOf({ pieces }: Collected): FileLine[] {
  const files: FileLine[] = [];
  for (const { list, content } of pieces) {
    if (list === "files") readFileLines(content, (file) => files.push(file));
    if (files.length > MAX_FILES) throw new AshlarError("limit", `expected at most ${MAX_FILES} files`);
  }
  return files.toSorted((left, right) => compareText(left.path, right.path));
}

/** The order in which a directory has them is each node's own. */
function packageLists(text: string): string {
  const lists = text.split(/(?<=\n)(?===> )/u);
  return lists.toSorted(compareText).join("");
}

class Arranger {
  readonly #digests = new Map<string, string>();
  readonly #rights: ReadonlyMap<string, string>;
  /** Of directories. */
  readonly #devices = new Map<string, string>();

  constructor({ texts, pieces }: Collected) {
    for (const { list, content } of pieces) if (list === "sha256") readDigestLines(content, this.#digests);
    this.#rights = readCapabilities(texts.get("capabilities") ?? "");
  }

  arrange(files: readonly FileLine[]): {
    readonly records: readonly string[];
    readonly links: readonly string[];
    readonly unhashed: readonly string[];
    readonly mounts: readonly string[];
  } {
    for (const { path, type, device } of files) if (type === "d") this.#devices.set(path, device);
    this.#giveDigestsToAllNames(files);
    const unhashed: string[] = [];
    const records = files.map((file) => {
      const content = file.type === "f" ? this.#contentOf(file) : "";
      if (content === undefined) unhashed.push(file.path);
      const rights = this.#rights.get(file.path);
      const more = rights === undefined ? "" : ` ${rights}`;
      return `file\0${file.path}\0${file.type} ${file.form} ${file.target}\0${content ?? ""}${more}\0`;
    });
    return {
      records,
      links: files
        .filter(({ path, type }) => type === "l" && !path.includes("/"))
        .map(({ path, target }) => `link\0${path}\0${target}\0`),
      unhashed,
      mounts: files.filter((file) => file.type === "d" && this.#isMount(file)).map(({ path }) => path),
    };
  }

  /** Undefined for a file that could not be read. */
  #contentOf({ path, sizeBytes, modified }: FileLine): string | undefined {
    return this.#digests.get(path) ?? (sizeBytes >= MAX_HASHED_BYTES ? modified : undefined);
  }

  /** One name of a file has been read for all of them. */
  #giveDigestsToAllNames(files: readonly FileLine[]): void {
    const several = files.filter(({ type, links }) => type === "f" && links > 1);
    const byInode = new Map<string, string>();
    for (const { path, device, inode } of several) {
      const digest = this.#digests.get(path);
      if (digest !== undefined) byInode.set(`${device} ${inode}`, digest);
    }
    for (const { path, device, inode } of several) {
      const digest = byInode.get(`${device} ${inode}`);
      if (digest !== undefined && !this.#digests.has(path)) this.#digests.set(path, digest);
    }
  }

  /** A directory on another device than the one that it is in. */
  #isMount({ path, device }: FileLine): boolean {
    const above = this.#devices.get(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
    return above !== undefined && above !== device;
  }
}
