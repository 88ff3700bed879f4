import { AshlarError } from "@ashlar/base";

/**
 * Reads a structure from outside bytes, front to back. Every read is checked against the end, so that a parser built on
 * it can only return a value or throw an {@link AshlarError} with code `malformed` that names the structure, the field
 * and the offset.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #structure: string;
  readonly #littleEndian: boolean;
  #offset = 0;

  /** `structure` is the name used in errors, for example `TPMS_ATTEST`. */
  constructor(bytes: Uint8Array, structure: string, byteOrder: "big-endian" | "little-endian") {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#structure = structure;
    this.#littleEndian = byteOrder === "little-endian";
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#advance(1, field));
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#advance(2, field), this.#littleEndian);
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#advance(4, field), this.#littleEndian);
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(8, field), this.#littleEndian);
  }

  /** A view of the next `length` bytes, not a copy. */
  bytes(length: number, field: string): Uint8Array {
    const start = this.#advance(length, field);
    return this.#bytes.subarray(start, start + length);
  }

  /** A u16 size followed by as many bytes (the TPM's TPM2B form). */
  sized16(field: string): Uint8Array {
    return this.bytes(this.u16(`${field}.size`), field);
  }

  skip(length: number, field: string): void {
    this.#advance(length, field);
  }

  /** Refuses trailing bytes: a structure that ends early may hide something from one of two readers. */
  end(): void {
    if (this.remaining > 0) this.fail(`expected the end, found ${this.remaining} more bytes`);
  }

  fail(message: string): never {
    throw new AshlarError("malformed", `${this.#structure} at offset ${this.#offset}: ${message}`);
  }

  #advance(length: number, field: string): number {
    if (length > this.remaining) {
      this.fail(`${field} needs ${length} bytes, found ${this.remaining}`);
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
