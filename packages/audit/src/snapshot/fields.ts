import { AshlarError } from "@ashlar/base";
import { byteText } from "./byte-text.ts";

/** Reads fields that each end with a NUL. */
export class Fields {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** @throws AshlarError `malformed` when no field is left, `limit` */
  next(maxBytes: number): Buffer {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end === -1)
      throw new AshlarError("malformed", `expected a field that ends, found the end at byte ${this.#bytes.length}`);
    if (end - this.#offset > maxBytes) {
      const found = end - this.#offset;
      throw new AshlarError(
        "limit",
        `expected a field of at most ${maxBytes} bytes, found ${found} at byte ${this.#offset}`,
      );
    }
    const field = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    return field;
  }

  word(pattern: RegExp, what: string): string {
    const at = this.#offset;
    const text = this.next(MAX_WORD_BYTES).toString("latin1");
    if (pattern.test(text)) return text;
    throw new AshlarError("malformed", `expected ${what}, found ${JSON.stringify(text)} at byte ${at}`);
  }

  name(maxBytes: number): string {
    return byteText(this.next(maxBytes));
  }
}

const MAX_WORD_BYTES = 256;
