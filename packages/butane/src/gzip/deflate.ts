import { BitWriter } from "./bit-writer.ts";
import { matchToken, writeBlock, writeStored, type Token } from "./block.ts";
import { MatchFinder, MIN_MATCH, oldestKept } from "./match-finder.ts";

const TOKENS_PER_BLOCK = 16_384;

/**
 * Compresses (RFC 1951) with the choices that Go's `compress/flate` makes at level 9, so that the bytes are the same: a
 * match gives way to a longer one that starts a byte later, a block has so many tokens, and an empty stored block ends all.
 */
export function deflate(bytes: Uint8Array): Uint8Array {
  const finder = new MatchFinder(bytes);
  const blocks = new Blocks(bytes);
  const longest = (place: number, than: number): number => finder.longest(place, than, oldestKept(place, bytes.length));
  let place = 0;
  while (place < bytes.length) {
    let length = longest(place, MIN_MATCH - 1);
    while (length > 0) {
      const { distance } = finder;
      const longer = longest(place + 1, length);
      if (longer === 0) {
        blocks.add(matchToken(length, distance), length);
        break;
      }
      blocks.add(bytes[place] ?? 0, 1);
      place += 1;
      length = longer;
    }
    if (length === 0) blocks.add(bytes[place] ?? 0, 1);
    place += Math.max(length, 1);
  }
  return blocks.finish();
}

/** Collects tokens and writes them in blocks. */
class Blocks {
  readonly #bytes: Uint8Array;
  readonly #writer: BitWriter;
  readonly #tokens: Uint32Array;
  #count = 0;
  /** The first byte of the block, and the one after the last. */
  #start = 0;
  #end = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#writer = new BitWriter(bytes.length + 64);
    this.#tokens = new Uint32Array(Math.min(bytes.length, TOKENS_PER_BLOCK));
  }

  /** Adds what stands for the next `length` bytes. */
  add(token: Token, length: number): void {
    this.#tokens[this.#count] = token;
    this.#count += 1;
    const decided = this.#end + 1;
    this.#end += length;
    if (this.#count === TOKENS_PER_BLOCK) this.#write(decided);
  }

  finish(): Uint8Array {
    if (this.#count > 0) this.#write(this.#bytes.length);
    writeStored(this.#writer, new Uint8Array(0), true);
    return this.#writer.finish();
  }

  /** `place` is where the decision for the last token fell: of what was kept then, bytes can be stored as they are. */
  #write(place: number): void {
    const isKept = this.#start >= oldestKept(place, this.#bytes.length);
    const stored = isKept ? this.#bytes.subarray(this.#start, this.#end) : undefined;
    writeBlock(this.#writer, this.#tokens.subarray(0, this.#count), stored);
    this.#count = 0;
    this.#start = this.#end;
  }
}
