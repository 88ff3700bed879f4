import { BitWriter } from "./bit-writer.ts";
import { matchToken, writeBlock, writeStored } from "./block.ts";

/** How far back matches may lie (RFC 1951, section 2), and the mask for places in a ring of that size. */
const WINDOW = 32_768;
const MASK = WINDOW - 1;
const MIN_MATCH = 4;
const MAX_MATCH = 258;

/** Hash chains are followed this far; a quarter of it once a match is good. */
const CHAIN = 4096;
const TOKENS_PER_BLOCK = 16_384;
const HASH_BITS = 17;
const HASH_FACTOR = 0x1e_35_a7_bd;
/** Four-byte matches from further away cost more than their literals. */
const NEAR = 4096;

/**
 * Compresses with lazy matching over hash chains, making each choice as Go's `compress/flate` makes it at level 9, so
 * that the bytes are the same. That program works in a buffer of two windows and forgets the older one when it moves on;
 * `#base` is where its buffer would start.
 */
export function deflate(bytes: Uint8Array): Uint8Array {
  return new Deflate(bytes).run();
}

const heads = new Int32Array(1 << HASH_BITS);
const previous = new Int32Array(WINDOW);
const tokens = new Uint32Array(TOKENS_PER_BLOCK);

class Deflate {
  readonly #bytes: Uint8Array;
  readonly #writer: BitWriter;
  #base = 0;
  #blockStart = 0;
  #blockInBuffer = true;
  #tokenCount = 0;
  #index = 0;
  #chainHead = -1;
  #length = MIN_MATCH - 1;
  #distance = 0;
  #literalPending = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#writer = new BitWriter(bytes.length + 64);
    heads.fill(-1);
  }

  run(): Uint8Array {
    const size = this.#bytes.length;
    let end = Math.min(size, 2 * WINDOW);
    while (end < size) {
      this.#step(end, false);
      this.#moveBuffer();
      end = Math.min(size, this.#base + 2 * WINDOW);
    }
    this.#step(end, true);
    writeStored(this.#writer, new Uint8Array(0), true);
    return this.#writer.finish();
  }

  /** Works through the buffer, which ends at `end`; unless `flush`, stops where a longest match might not fit any more. */
  #step(end: number, flush: boolean): void {
    const stop = flush ? end : end - (MIN_MATCH + MAX_MATCH) + 1;
    while (this.#index < stop) this.#advance(end);
    if (!flush) return;
    if (this.#literalPending) this.#push(this.#bytes[this.#index - 1] ?? 0);
    this.#literalPending = false;
    if (this.#tokenCount > 0) this.#endBlock(this.#index);
  }

  #moveBuffer(): void {
    if (this.#index - this.#base < 2 * WINDOW - (MIN_MATCH + MAX_MATCH)) return;
    this.#base += WINDOW;
    if (this.#blockStart < this.#base) this.#blockInBuffer = false;
  }

  #advance(end: number): void {
    const lastHashed = end - (MIN_MATCH - 1);
    if (this.#index < lastHashed) this.#chainHead = this.#insert(this.#index);
    const lengthBefore = this.#length;
    const distanceBefore = this.#distance;
    this.#length = MIN_MATCH - 1;
    this.#distance = 0;
    const lookahead = end - this.#index;
    const oldest = Math.max(this.#base, this.#index - WINDOW);
    if (this.#chainHead >= oldest && lookahead > lengthBefore && lengthBefore < MAX_MATCH) {
      this.#findMatch(this.#chainHead, Math.min(lookahead, MAX_MATCH));
    }
    if (lengthBefore >= MIN_MATCH && this.#length <= lengthBefore) {
      this.#takeMatch(lengthBefore, distanceBefore, lastHashed);
    } else {
      this.#takeLiteral();
    }
  }

  /** The match found one byte earlier is not beaten by one that starts here. */
  #takeMatch(length: number, distance: number, lastHashed: number): void {
    this.#push(matchToken(length, distance));
    const next = this.#index + length - 1;
    for (this.#index += 1; this.#index < next; this.#index += 1) {
      if (this.#index < lastHashed) this.#insert(this.#index);
    }
    this.#literalPending = false;
    this.#length = MIN_MATCH - 1;
    if (this.#tokenCount === TOKENS_PER_BLOCK) this.#endBlock(this.#index);
  }

  #takeLiteral(): void {
    if (this.#literalPending) {
      this.#push(this.#bytes[this.#index - 1] ?? 0);
      if (this.#tokenCount === TOKENS_PER_BLOCK) this.#endBlock(this.#index);
    }
    this.#index += 1;
    this.#literalPending = true;
  }

  #push(token: number): void {
    tokens[this.#tokenCount] = token;
    this.#tokenCount += 1;
  }

  #endBlock(end: number): void {
    if (end > 0) {
      const stored = this.#blockInBuffer ? this.#bytes.subarray(this.#blockStart, end) : undefined;
      this.#blockStart = end;
      this.#blockInBuffer = true;
      writeBlock(this.#writer, tokens.subarray(0, this.#tokenCount), stored);
    }
    this.#tokenCount = 0;
  }

  /** Enters a place into the chain of its hash; returns the one entered before. */
  #insert(index: number): number {
    const bytes = this.#bytes;
    const word =
      ((bytes[index] ?? 0) << 24) |
      ((bytes[index + 1] ?? 0) << 16) |
      ((bytes[index + 2] ?? 0) << 8) |
      (bytes[index + 3] ?? 0);
    const hash = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS);
    const head = heads[hash] ?? -1;
    previous[index & MASK] = head;
    heads[hash] = index;
    return head;
  }

  /** Looks for the longest match along a chain, nearest first; more than `MIN_MATCH - 1` bytes count. */
  #findMatch(head: number, limit: number): void {
    const bytes = this.#bytes;
    const index = this.#index;
    const oldest = index - WINDOW;
    const lowest = Math.max(oldest, this.#base);
    let length = MIN_MATCH - 1;
    let last = bytes[index + length];
    let candidate = head;
    for (let tries = CHAIN; tries > 0; tries -= 1) {
      if (bytes[candidate + length] === last) {
        let matched = 0;
        while (matched < limit && bytes[candidate + matched] === bytes[index + matched]) matched += 1;
        if (matched > length && (matched > MIN_MATCH || index - candidate <= NEAR)) {
          length = matched;
          this.#length = length;
          this.#distance = index - candidate;
          if (matched >= limit) return;
          last = bytes[index + matched];
        }
      }
      if (candidate === oldest) return;
      candidate = previous[candidate & MASK] ?? -1;
      if (candidate < lowest) return;
    }
  }
}
