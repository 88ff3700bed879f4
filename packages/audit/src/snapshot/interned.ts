import { AshlarError } from "@ashlar/base";

export type PieceForm<T> = {
  /** Where the piece ends that begins at `start`. Throws for what is none. */
  readonly endOf: (bytes: Buffer, start: number) => number;
  /** What it says. Throws for what is malformed. The bytes are only lent. */
  readonly read: (piece: Buffer, at: number) => T;
  /** For pieces whose last byte does not say that it is the last: whether one can end there. */
  readonly isEnd?: (bytes: Buffer, end: number) => boolean;
};

/** Half of the slots are free: dozens are many. More are only there when somebody has made them. */
const MAX_PROBES = 1000;

/**
 * Pieces of bytes, each read once. A hundred nodes say nearly the same: of the second one almost every record, digest and list of a
 * package is known, and is found by comparing bytes, without making a text of it.
 */
export class Interned<T> {
  readonly #form: PieceForm<T>;
  readonly #values: T[] = [];
  /** Where each piece stands in `#kept`, and after them the end. */
  #starts = new Int32Array(1024);
  #kept = Buffer.alloc(64 * 1024);
  #keptView = viewOf(this.#kept);
  #hashes = new Int32Array(1024);
  /** Open addressing: a piece's number and one, or 0. Twice as many as pieces at least. */
  #slots = new Int32Array(4096);
  /** Which piece came after a piece the last time: mostly the one that comes next now. */
  #followers = new Int32Array(1024);
  #last = 0;

  constructor(form: PieceForm<T>) {
    this.#form = form;
  }

  value(id: number): T {
    const value = this.#values[id];
    if (value === undefined) throw new RangeError(`no piece ${id}`);
    return value;
  }

  lengthOf(id: number): number {
    return (this.#starts[id + 1] ?? 0) - (this.#starts[id] ?? 0);
  }

  /** The number of the piece that begins at `start`. `view` is of the same bytes. */
  at(bytes: Buffer, view: DataView, start: number): number {
    const expected = this.#followers[this.#last] ?? 0;
    const id = this.#isAt(expected, bytes, view, start) ? expected : this.#find(bytes, view, start);
    this.#followers[this.#last] = id;
    this.#last = id;
    return id;
  }

  #find(bytes: Buffer, view: DataView, start: number): number {
    const end = this.#form.endOf(bytes, start);
    const hash = hashOf(view, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let probes = 0; ; probes += 1) {
      const id = (this.#slots[slot] ?? 0) - 1;
      if (id === -1) break;
      if (probes === MAX_PROBES)
        throw new AshlarError("limit", "expected pieces that a hash tells apart, found too many alike");
      if (this.#hashes[id] === hash && this.lengthOf(id) === end - start && this.#isAt(id, bytes, view, start))
        return id;
      slot = (slot + 1) & mask;
    }
    return this.#add(bytes, start, end, hash);
  }

  /** Whether this piece stands there, and ends there. */
  #isAt(id: number, bytes: Buffer, view: DataView, start: number): boolean {
    const from = this.#starts[id] ?? 0;
    const length = this.lengthOf(id);
    if (length === 0 || start + length > bytes.length) return false;
    const kept = this.#keptView;
    const words = length - 3;
    let offset = 0;
    for (; offset < words; offset += 4)
      if (kept.getInt32(from + offset, true) !== view.getInt32(start + offset, true)) return false;
    for (; offset < length; offset += 1) if (this.#kept[from + offset] !== bytes[start + offset]) return false;
    return this.#form.isEnd?.(bytes, start + length) ?? true;
  }

  #add(bytes: Buffer, start: number, end: number, hash: number): number {
    const value = this.#form.read(bytes.subarray(start, end), start);
    const id = this.#values.length;
    const from = this.#starts[id] ?? 0;
    this.#makeRoom(id, from + end - start);
    bytes.copy(this.#kept, from, start, end);
    this.#starts[id + 1] = from + end - start;
    this.#hashes[id] = hash;
    this.#values.push(value);
    this.#put(id);
    return id;
  }

  #put(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[id] ?? 0) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id + 1;
  }

  #makeRoom(id: number, bytes: number): void {
    if (bytes > this.#kept.length) {
      const larger = Buffer.alloc(Math.max(bytes, this.#kept.length * 2));
      this.#kept.copy(larger);
      this.#kept = larger;
      this.#keptView = viewOf(larger);
    }
    if (id + 2 > this.#starts.length) {
      this.#starts = doubled(this.#starts);
      this.#hashes = doubled(this.#hashes);
      this.#followers = doubled(this.#followers);
    }
    if ((id + 1) * 2 > this.#slots.length) {
      this.#slots = new Int32Array(this.#slots.length * 2);
      for (let each = 0; each < id; each += 1) this.#put(each);
    }
  }
}

export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}

/** Of four bytes at a time. Nothing rests on it: pieces are compared. */
function hashOf(view: DataView, start: number, end: number): number {
  let hash = (end - start) | 0;
  let offset = start;
  for (; offset + 4 <= end; offset += 4) {
    hash = Math.imul(hash ^ view.getInt32(offset, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; offset < end; offset += 1) hash = Math.imul(hash ^ view.getUint8(offset), 0x9e3779b1);
  hash ^= hash >>> 13;
  return Math.imul(hash, 0x85ebca6b) ^ (hash >>> 16);
}
