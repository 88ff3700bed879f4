/** Writes bit fields, lowest bit first (RFC 1951, section 3.1.1). */
export class BitWriter {
  #bytes: Uint8Array;
  #size = 0;
  #bits = 0;
  #count = 0;

  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(expectedBytes);
  }

  /** Writes the `count` low bits of `value`; at most 16. */
  write(value: number, count: number): void {
    this.#bits |= value << this.#count;
    this.#count += count;
    while (this.#count >= 8) {
      this.#push(this.#bits & 0xff);
      this.#bits >>>= 8;
      this.#count -= 8;
    }
  }

  /** Fills up the last byte with zeros. */
  align(): void {
    if (this.#count > 0) this.#push(this.#bits & 0xff);
    this.#bits = 0;
    this.#count = 0;
  }

  /** Appends whole bytes; only where aligned. */
  writeBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  finish(): Uint8Array {
    this.align();
    return this.#bytes.subarray(0, this.#size);
  }

  #push(byte: number): void {
    if (this.#size === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#size] = byte;
    this.#size += 1;
  }

  #reserve(more: number): void {
    if (this.#size + more <= this.#bytes.length) return;
    const grown = new Uint8Array((this.#size + more) * 2);
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}
