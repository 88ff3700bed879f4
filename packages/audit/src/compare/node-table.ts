import type { Facts, Installation, Snapshot, SnapshotFile, Unread } from "../snapshot/snapshot.ts";
import { MAX_HASHED_BYTES } from "../snapshot/snapshot.ts";

/** What is kept of one node. Values are numbers of texts that the table has once; 0 for nothing. */
export type Row = {
  readonly name: string;
  readonly host: string | undefined;
  readonly facts: Facts;
  readonly contents: Uint32Array;
  readonly modes: Uint32Array;
  /** The last that happened to each package, by its name without architecture. */
  readonly installations: ReadonlyMap<string, Installation>;
  readonly order: string;
  readonly unread: readonly Unread[];
  readonly missing: readonly string[];
  readonly isByRoot: boolean;
  /** Whether it could tell what is in effect: not a tree that lies on a disk. */
  readonly isRunning: boolean;
};

/** Nodes as rows of numbers: what a hundred nodes have alike is kept once. */
export class NodeTable {
  readonly rows: Row[] = [];
  readonly keys: string[] = [];
  /** Which package has brought a path, on any node. */
  readonly owners: Map<string, string> = new Map();
  readonly configurationFiles: Set<string> = new Set();
  readonly #keyNumbers = new Map<string, number>();
  readonly #values: string[] = [""];
  readonly #valueNumbers = new Map<string, number>([["", 0]]);

  add(name: string, snapshot: Snapshot): void {
    const contents: number[] = [];
    const modes: number[] = [];
    const changing = new Set(snapshot.unread.filter(({ why }) => why !== "mount").map(({ path }) => path));
    for (const file of snapshot.files) {
      const key = this.#keyNumber(file.path);
      contents[key] = this.#valueNumber(changing.has(file.path) ? UNREAD : contentOf(file));
      modes[key] = this.#valueNumber(modeOf(file));
    }
    for (const [each, version] of snapshot.packages)
      contents[this.#keyNumber(packageKey(each))] = this.#valueNumber(version);
    for (const [key, value] of snapshot.state) contents[this.#keyNumber(key)] = this.#valueNumber(value || " ");
    for (const [path, owner] of snapshot.owners) if (!this.owners.has(path)) this.owners.set(path, owner);
    for (const path of snapshot.configurationFiles) this.configurationFiles.add(path);
    const { host, facts, unread, missing, isByRoot, installations } = snapshot;
    this.rows.push({
      name,
      host,
      facts,
      unread,
      missing,
      isByRoot,
      isRunning: snapshot.state.has("kernel"),
      contents: Uint32Array.from({ length: this.keys.length }, (_, key) => contents[key] ?? 0),
      modes: Uint32Array.from({ length: this.keys.length }, (_, key) => modes[key] ?? 0),
      installations: new Map(installations.map((each) => [nameOnly(each.name), each])),
      order: installations.map(({ name: each, action }) => `${action} ${nameOnly(each)}`).join("\n"),
    });
  }

  keyNumber(key: string): number | undefined {
    return this.#keyNumbers.get(key);
  }

  /** Undefined where there is nothing. */
  text(value: number | undefined): string | undefined {
    return value === undefined || value === 0 ? undefined : this.#values[value];
  }

  #keyNumber(key: string): number {
    return numberOf(key, this.#keyNumbers, this.keys);
  }

  #valueNumber(value: string): number {
    return numberOf(value, this.#valueNumbers, this.#values);
  }
}

function numberOf(text: string, numbers: Map<string, number>, texts: string[]): number {
  const known = numbers.get(text);
  if (known !== undefined) return known;
  numbers.set(text, texts.length);
  return texts.push(text) - 1;
}

export function packageKey(name: string): string {
  return `package:${name}`;
}

/** `libc6:amd64` and `libc6.x86_64` as `libc6`. */
export function nameOnly(name: string): string {
  return name.replace(/(?::[a-z0-9-]+|\.(?:x86_64|aarch64|noarch|i686|ppc64le|s390x))$/u, "");
}

/** What stands for a content that nobody knows: it is like no other. */
export const UNREAD = "unread";

function contentOf(file: SnapshotFile): string {
  if (file.type === "link") return ["link", "", file.target].join("\0");
  if (file.type !== "file") return file.type;
  const unhashed = file.sizeBytes >= MAX_HASHED_BYTES ? `not hashed, of ${file.modified}` : undefined;
  return ["file", String(file.sizeBytes), file.digest ?? unhashed ?? UNREAD].join("\0");
}

/** Of a link it says nothing: Linux gives all the same. */
function modeOf({ type, mode, owner, group, capabilities = "" }: SnapshotFile): string {
  return [type === "link" ? "" : mode.padStart(4, "0"), owner, group, capabilities].join("\0");
}
