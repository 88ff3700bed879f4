/** How far back matches may lie (RFC 1951, section 2), and the mask for places in a ring of that size. */
const WINDOW = 32_768;
const MASK = WINDOW - 1;
export const MIN_MATCH = 4;
const MAX_MATCH = 258;

/** So many earlier places are tried before the best one has to do. */
const MAX_TRIES = 4096;
/** Matches of four bytes from further away cost more than their literals. */
const NEAR = 4096;

/** The hash of four bytes picks the same chain of earlier places as Go's, which counts where chains are too long to follow. */
const HASH_BITS = 17;
const HASH_FACTOR = 0x1e_35_a7_bd;

/** By hash the last place that has it; by place in the ring the one before with the same hash. Made when first needed. */
let memory: { readonly last: Int32Array; readonly before: Int32Array } | undefined;

/** Finds where bytes occurred before. Places must be asked about in ascending order. */
export class MatchFinder {
  readonly #bytes: Uint8Array;
  readonly #last: Int32Array;
  readonly #before: Int32Array;
  /** The first place that is not entered yet, and the last four bytes read, which slide along with it. */
  #known = 0;
  #word: number;
  /** How far back the last match lies that was found. */
  distance = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    memory ??= { last: new Int32Array(1 << HASH_BITS), before: new Int32Array(WINDOW) };
    this.#last = memory.last.fill(-1);
    this.#before = memory.before;
    this.#word = ((bytes[0] ?? 0) << 16) | ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0);
  }

  /**
   * The length of the longest match at `place`, the nearest of equally long ones; 0 unless longer than `length`. Places
   * before `oldest` are forgotten.
   */
  longest(place: number, length: number, oldest: number): number {
    const [bytes, before] = [this.#bytes, this.#before];
    const limit = Math.min(bytes.length - place, MAX_MATCH);
    if (limit <= length) return 0;
    this.#learn(place);
    const lowest = Math.max(oldest, place - WINDOW, 0);
    let best = length;
    let found = before[place & MASK] ?? -1;
    for (let tries = MAX_TRIES; found >= lowest && tries > 0; tries -= 1) {
      if (bytes[found + best] === bytes[place + best]) {
        let matched = 0;
        while (matched < limit && bytes[found + matched] === bytes[place + matched]) matched += 1;
        if (matched > best && (matched > MIN_MATCH || place - found <= NEAR)) {
          best = matched;
          this.distance = place - found;
          if (best === limit) break;
        }
      }
      // One window back, its place in the ring is that of the match itself.
      if (found === place - WINDOW) break;
      found = before[found & MASK] ?? -1;
    }
    return best > length ? best : 0;
  }

  /** Enters all places up to this one. */
  #learn(place: number): void {
    for (; this.#known <= place; this.#known += 1) {
      this.#word = (this.#word << 8) | (this.#bytes[this.#known + MIN_MATCH - 1] ?? 0);
      const hash = Math.imul(this.#word, HASH_FACTOR) >>> (32 - HASH_BITS);
      this.#before[this.#known & MASK] = this.#last[hash] ?? -1;
      this.#last[hash] = this.#known;
    }
  }
}

/**
 * The oldest place that a match at `place` may reach, beside the window's own limit. Go's program works in a buffer of two
 * windows. Where a longest match would not fit in any more, it drops the first window, and with it what it knew of it.
 */
export function oldestKept(place: number, size: number): number {
  const dropped = Math.floor((place - 2 * WINDOW + MIN_MATCH + MAX_MATCH - 1) / WINDOW) + 1;
  // With nothing left to read, nothing is dropped.
  const needed = Math.ceil(size / WINDOW) - 2;
  return WINDOW * Math.max(0, Math.min(dropped, needed));
}
