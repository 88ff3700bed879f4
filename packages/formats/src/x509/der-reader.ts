import { ByteReader } from "../byte-reader.ts";

export type DerElement = {
  /** The contents octets. */
  readonly content: Uint8Array;
  /** Identifier, length and contents octets. */
  readonly whole: Uint8Array;
};

/**
 * Reads DER (ITU-T X.690) front to back. Tags are single octets, lengths definite and as short as they can be (10.1), so
 * that no two readers can see different things. Throws an AshlarError `malformed` for anything else.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #reader: ByteReader;
  readonly #structure: string;

  /** `structure` is the name used in errors. */
  constructor(bytes: Uint8Array, structure: string) {
    this.#bytes = bytes;
    this.#reader = new ByteReader(bytes, structure, "big-endian");
    this.#structure = structure;
  }

  /** Whether an element with this tag comes next. */
  isNext(tag: number): boolean {
    return this.#bytes[this.#reader.offset] === tag;
  }

  element(tag: number, field: string): DerElement {
    const start = this.#reader.offset;
    const found = this.#reader.u8(field);
    if (found !== tag) this.fail(`${field}: expected tag 0x${tag.toString(16)}, found 0x${found.toString(16)}`);
    const content = this.#reader.bytes(this.#length(field), field);
    return { content, whole: this.#bytes.subarray(start, this.#reader.offset) };
  }

  /** The next element, whatever it is. */
  any(field: string): DerElement & { readonly tag: number } {
    const tag = this.#bytes[this.#reader.offset];
    if (tag === undefined) this.fail(`${field}: expected an element, found the end`);
    return { tag, ...this.element(tag, field) };
  }

  get isAtEnd(): boolean {
    return this.#reader.remaining === 0;
  }

  /** A reader of what is inside the next element. */
  inner(tag: number, field: string): DerReader {
    return new DerReader(this.element(tag, field).content, `${this.#structure}, ${field}`);
  }

  end(): void {
    this.#reader.end();
  }

  fail(message: string): never {
    this.#reader.fail(message);
  }

  /** X.690, 8.1.3: one octet below 128, else the number of octets that follow. */
  #length(field: string): number {
    const first = this.#reader.u8(`${field} length`);
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) this.fail(`${field}: expected a length of 1 to 3 octets, found ${count}`);
    let length = 0;
    for (const octet of this.#reader.bytes(count, `${field} length`)) length = length * 256 + octet;
    const isShortest = length >= (count === 1 ? 0x80 : 256 ** (count - 1));
    if (!isShortest) this.fail(`${field}: expected the shortest form of length ${length}`);
    return length;
  }
}

/** Tags of the types that are read (X.690, 8). */
export const DER_TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
  /** Constructed, context-specific. */
  context0: 0xa0,
  context1: 0xa1,
  context3: 0xa3,
  context4: 0xa4,
  utcTime: 0x17,
  generalizedTime: 0x18,
  /** Primitive, context-specific: a GeneralName that is a URI (RFC 5280, 4.2.1.6). */
  uri: 0x86,
} as const;
