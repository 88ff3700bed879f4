import { AshlarError } from "@ashlar/base";
import { endOfField, rootedPath } from "./file-record.ts";
import { viewOf } from "./interned.ts";
import { MAX_PATH_BYTES } from "./snapshot.ts";

const MAX_WORD_BYTES = 256;
/** "file", as the processor reads it. */
const FILE = 0x656c6966;
const FILE_BYTES = 4;

/** Reads fields that each end with a NUL. */
export class Fields {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Where the next field begins. */
  offset = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  get isAtEnd(): boolean {
    return this.offset >= this.bytes.length;
  }

  /** Whether the word `file` is next, of which there are a hundred thousand. */
  get isAtFile(): boolean {
    const { offset } = this;
    const is = offset + FILE_BYTES < this.bytes.length && this.view.getInt32(offset, true) === FILE;
    return is && this.bytes[offset + FILE_BYTES] === 0;
  }

  /** @throws AshlarError `malformed` when no field is left, `limit` */
  next(maxBytes: number): Buffer {
    const start = this.offset;
    this.offset = endOfField(this.bytes, start, maxBytes);
    return this.bytes.subarray(start, this.offset - 1);
  }

  word(pattern: RegExp, what: string): string {
    const at = this.offset;
    const text = this.next(MAX_WORD_BYTES).toString("latin1");
    if (pattern.test(text)) return text;
    throw new AshlarError("malformed", `expected ${what}, found ${JSON.stringify(text)} at byte ${at}`);
  }

  path(): string {
    return rootedPath(this.next(MAX_PATH_BYTES));
  }
}
