import type { Fields } from "./fields.ts";
import { endOfFileRecord, readFileRecord, type FileRecord } from "./file-record.ts";
import { Interned } from "./interned.ts";
import { readOwn, restOf, type OwnField } from "./own-field.ts";
import { PathNumbers } from "./path-numbers.ts";
import { MAX_HASHED_BYTES, type SnapshotFile } from "./snapshot.ts";

type NumberedRecord = {
  readonly record: FileRecord;
  readonly path: number;
  /** The directory above, or -1. */
  readonly parent: number;
};

/** What is known of a file beside its record. */
type Details = Pick<SnapshotFile, "digest" | "capabilities" | "modified">;

/** The files of all nodes that are read: one object for all that are alike. */
export class FileForms {
  readonly paths: PathNumbers = new PathNumbers();
  readonly records: Interned<NumberedRecord> = new Interned({
    endOf: endOfFileRecord,
    read: (piece, at) => {
      const record = readFileRecord(piece, at);
      const parent = record.path.slice(0, record.path.lastIndexOf("/"));
      return { record, path: this.paths.give(record.path), parent: parent === "" ? -1 : this.paths.give(parent) };
    },
  });
  /** By the record's number, the last that was asked for. */
  readonly #latest: SnapshotFile[] = [];
  readonly #others = new Map<string, SnapshotFile>();

  newNode(fields: Fields): NodeFiles {
    return new NodeFiles(this, fields);
  }

  latest(id: number): SnapshotFile | undefined {
    return this.#latest[id];
  }

  file(id: number, { record }: NumberedRecord, details: Details): SnapshotFile {
    const latest = this.#latest[id];
    const key = keyOf(id, details);
    const file = this.#others.get(key) ?? { ...record, ...details };
    this.#latest[id] = file;
    if (latest !== undefined) {
      this.#others.set(key, file);
      this.#others.set(keyOf(id, latest), latest);
    }
    return file;
  }
}

function keyOf(id: number, { digest, capabilities, modified }: Details): string {
  return [id, digest, capabilities, modified].join("\0");
}

/** The files of one node: read one by one, then put together with their digests. */
export class NodeFiles {
  readonly #forms: FileForms;
  readonly #fields: Fields;
  readonly #own: OwnField = { links: 0, device: 0, from: 0, to: 0 };
  readonly #ids: number[] = [];
  /** Directories, by the number of the path, and the devices that they are on. */
  readonly #devices = new Map<number, number>();
  /** Files of several names: device and inode, by the path. */
  readonly #inodes = new Map<number, string>();
  /** When files were modified that are too large to be read, by the path. */
  readonly #modified = new Map<number, string>();
  /** Numbers of paths, and the digests of what is there. */
  readonly #digests: [number[], string[]] = [[], []];

  constructor(forms: FileForms, fields: Fields) {
    this.#forms = forms;
    this.#fields = fields;
  }

  get count(): number {
    return this.#ids.length;
  }

  readFile(): void {
    const fields = this.#fields;
    const own = this.#own;
    readOwn(fields, own);
    const { records } = this.#forms;
    const id = records.at(fields.bytes, fields.view, fields.offset);
    fields.offset += records.lengthOf(id);
    this.#ids.push(id);
    const { record, path } = records.value(id);
    if (record.type === "directory") this.#devices.set(path, own.device);
    else if (record.type === "file") {
      if (own.links > 1) this.#inodes.set(path, `${own.device} ${restOf(fields, own).inode}`);
      if (record.sizeBytes >= MAX_HASHED_BYTES) this.#modified.set(path, restOf(fields, own).modified);
    }
  }

  /** Of the path with this number. */
  addDigest(path: number, digest: string): void {
    const [paths, digests] = this.#digests;
    paths.push(path);
    digests.push(digest);
  }

  finish(rightsByPath: ReadonlyMap<string, string>): FinishedFiles {
    const { records, paths } = this.#forms;
    const digestOf = this.#digestsByPath();
    const rights = new Map([...rightsByPath].map(([path, text]) => [paths.give(path), text]));
    const files: SnapshotFile[] = [];
    const links = new Map<string, string>();
    const unhashed: string[] = [];
    const mounts: string[] = [];
    for (const id of this.#ids) {
      const numbered = records.value(id);
      const { record, path, parent } = numbered;
      const { type } = record;
      const digest = type === "file" ? digestOf[path] : undefined;
      const modified = digest === undefined && type === "file" ? this.#modified.get(path) : undefined;
      if (type === "file" && digest === undefined && modified === undefined) unhashed.push(record.path);
      if (type === "link" && parent === -1) links.set(record.path.slice(1), `/${record.target.replace(/^\//u, "")}`);
      if (type === "directory" && this.#isMount(path, parent)) mounts.push(record.path);
      const capabilities = rights.size === 0 ? undefined : rights.get(path);
      const latest = this.#forms.latest(id);
      const isLatest =
        latest?.digest === digest && latest?.capabilities === capabilities && latest?.modified === modified;
      files.push(
        isLatest && latest !== undefined ? latest : this.#forms.file(id, numbered, { digest, capabilities, modified }),
      );
    }
    return { files, links, unhashed, mounts };
  }

  /** One name of a file has been read for all of them. */
  #digestsByPath(): readonly (string | undefined)[] {
    const [paths, digests] = this.#digests;
    const byPath = Array<string | undefined>(this.#forms.paths.count).fill(undefined);
    for (const [index, path] of paths.entries()) byPath[path] = digests[index];
    const byInode = new Map<string, string>();
    for (const [path, inode] of this.#inodes) {
      const digest = byPath[path];
      if (digest !== undefined) byInode.set(inode, digest);
    }
    for (const [path, inode] of this.#inodes) byPath[path] ??= byInode.get(inode);
    return byPath;
  }

  /** A directory on another device than the one that it is in. */
  #isMount(path: number, parent: number): boolean {
    const above = this.#devices.get(parent);
    return above !== undefined && above !== this.#devices.get(path);
  }
}

export type FinishedFiles = {
  readonly files: readonly SnapshotFile[];
  /** `/bin` to `/usr/bin`, by name and path: packages name files below either. */
  readonly links: ReadonlyMap<string, string>;
  /** Files whose content is not known. */
  readonly unhashed: readonly string[];
  readonly mounts: readonly string[];
};
