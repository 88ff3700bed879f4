import type { Facts, Installation, PackageFiles, Snapshot, SnapshotFile, Unread } from "../snapshot/snapshot.ts";
import { RowValues } from "./row-values.ts";

/** What is kept of one node. Values are numbers of texts that the table has once; 0 for nothing. */
export type Row = {
  readonly name: string;
  readonly host: string | undefined;
  readonly facts: Facts;
  readonly values: RowValues;
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
  /** The first node's numbers: of the others what is not the same is kept. */
  #first: RowValues | undefined;
  /** In the order in which they first came, which is that of the next node, too. */
  readonly #files: SnapshotFile[] = [];
  readonly #numbers: FileNumbers[] = [];
  readonly #placeOf = new Map<SnapshotFile, number>();
  readonly #knownOwned = new Set<PackageFiles>();
  readonly #keyNumbers = new Map<string, number>();
  readonly #values: string[] = [""];
  readonly #valueNumbers = new Map<string, number>([["", 0]]);

  add(name: string, snapshot: Snapshot): void {
    // Room for all that it could bring.
    const most = this.keys.length + snapshot.files.length + snapshot.packages.size + snapshot.state.size;
    const contents = new Uint32Array(most);
    const modes = new Uint32Array(most);
    let place = 0;
    for (const file of snapshot.files) {
      if (this.#files[place] !== file) place = this.#placeFor(file);
      const numbers = this.#numbers[place];
      place += 1;
      if (numbers === undefined) continue;
      contents[numbers.key] = numbers.content;
      modes[numbers.key] = numbers.mode;
    }
    for (const { path, why } of snapshot.unread) {
      const key = why === "mount" ? undefined : this.#keyNumbers.get(path);
      if (key !== undefined && (contents[key] ?? 0) !== 0) contents[key] = this.#valueNumber(UNREAD);
    }
    for (const [each, version] of snapshot.packages)
      contents[this.#keyNumber(packageKey(each))] = this.#valueNumber(version);
    for (const [key, value] of snapshot.state) contents[this.#keyNumber(key)] = this.#valueNumber(value || " ");
    for (const owned of snapshot.owned) this.#addOwned(owned);
    for (const path of snapshot.configurationFiles) this.configurationFiles.add(path);
    const values = new RowValues(this.keys.length, contents, modes, this.#first);
    this.#first ??= values;
    const { host, facts, unread, missing, isByRoot, installations } = snapshot;
    this.rows.push({
      name,
      host,
      facts,
      unread,
      missing,
      isByRoot,
      isRunning: snapshot.state.has("kernel"),
      values,
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

  /** Of the object: readers give one object for what is alike on many nodes. */
  #placeFor(file: SnapshotFile): number {
    const known = this.#placeOf.get(file);
    if (known !== undefined) return known;
    const place = this.#files.push(file) - 1;
    this.#placeOf.set(file, place);
    this.#numbers.push({
      key: this.#keyNumber(file.path),
      content: this.#valueNumber(contentOf(file)),
      mode: this.#valueNumber(modeOf(file)),
    });
    return place;
  }

  #addOwned(owned: PackageFiles): void {
    if (this.#knownOwned.has(owned)) return;
    this.#knownOwned.add(owned);
    for (const path of owned.paths) if (!this.owners.has(path)) this.owners.set(path, owned.owner);
  }

  #keyNumber(key: string): number {
    return numberOf(key, this.#keyNumbers, this.keys);
  }

  #valueNumber(value: string): number {
    return numberOf(value, this.#valueNumbers, this.#values);
  }
}

type FileNumbers = { readonly key: number; readonly content: number; readonly mode: number };

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
  const unhashed = file.modified === undefined ? undefined : `not hashed, of ${file.modified}`;
  return ["file", String(file.sizeBytes), file.digest ?? unhashed ?? UNREAD].join("\0");
}

/** Of a link it says nothing: Linux gives all the same. */
function modeOf({ type, mode, owner, group, capabilities = "" }: SnapshotFile): string {
  return [type === "link" ? "" : mode.padStart(4, "0"), owner, group, capabilities].join("\0");
}
