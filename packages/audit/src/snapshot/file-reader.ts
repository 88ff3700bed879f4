import type { Fields } from "./fields.ts";
import { endOfFileRecord, readFileRecord } from "./file-record.ts";
import { Interned } from "./interned.ts";
import type { SnapshotFile } from "./snapshot.ts";

/** So many records are compared at once. */
const RUN = 128;

/** One node's records, and where each stands. */
type Told = { readonly bytes: Buffer; readonly starts: readonly number[]; readonly files: readonly SnapshotFile[] };

/**
 * The files of all nodes that are read: one object for all that are alike. Snapshots have them in one order, so that of a node
 * nearly all are found where the first node has them, by comparing bytes.
 */
export class FileReader {
  readonly #records = new Interned<SnapshotFile>({ endOf: endOfFileRecord, read: readFileRecord });
  #first: Told | undefined;

  /** Reads one record, or many that the first node has, too. `place` is where among the first node's it has come to. */
  read(fields: Fields, files: SnapshotFile[], starts: number[] | undefined, place: number): number {
    const length = this.#lengthOfRun(fields, place);
    if (length > 0 && this.#first !== undefined) {
      for (let index = place; index < place + RUN; index += 1) {
        const file = this.#first.files[index];
        if (file !== undefined) files.push(file);
      }
      fields.offset += length;
      return place + RUN;
    }
    starts?.push(fields.offset);
    const id = this.#records.at(fields.bytes, fields.view, fields.offset);
    fields.offset += this.#records.lengthOf(id);
    const file = this.#records.value(id);
    files.push(file);
    return this.#placeAfter(file, place);
  }

  /** The first node's: the others are compared with it. */
  keep(bytes: Buffer, starts: readonly number[], files: readonly SnapshotFile[]): void {
    this.#first ??= { bytes, starts, files };
  }

  get hasFirst(): boolean {
    return this.#first !== undefined;
  }

  /** In bytes; 0 when they are not all the same. */
  #lengthOfRun({ bytes, offset }: Fields, place: number): number {
    if (this.#first === undefined) return 0;
    const from = this.#first.starts[place];
    const to = this.#first.starts[place + RUN];
    if (from === undefined || to === undefined || offset + to - from > bytes.length) return 0;
    return this.#first.bytes.compare(bytes, offset, offset + to - from, from, to) === 0 ? to - from : 0;
  }

  /** Where the first node has what comes after this file. */
  #placeAfter({ path }: SnapshotFile, place: number): number {
    const { files = [] } = this.#first ?? {};
    let after = place;
    for (let file = files[after]; file !== undefined && file.path <= path; file = files[after]) after += 1;
    return after;
  }
}
