/** A Huffman code: for each symbol its bits, reversed as deflate writes them, and how many. */
export type Code = { readonly bits: Uint16Array; readonly lengths: Uint8Array };

/**
 * Builds the optimal prefix code with no code word longer than `limit`. Among codes of equal cost the choice is Go's:
 * leaves before pairs only when strictly rarer, longer words to rarer symbols, words ascending with the symbols.
 */
export function huffmanCode(frequencies: ArrayLike<number>, limit: number): Code {
  const code = { bits: new Uint16Array(frequencies.length), lengths: new Uint8Array(frequencies.length) };
  const used = Array.from({ length: frequencies.length }, (_, symbol) => symbol).filter(
    (symbol) => (frequencies[symbol] ?? 0) > 0,
  );
  if (used.length <= 2) {
    for (const [index, symbol] of used.entries()) {
      code.bits[symbol] = index;
      code.lengths[symbol] = 1;
    }
    return code;
  }
  const rarestFirst = used.toSorted((a, b) => (frequencies[a] ?? 0) - (frequencies[b] ?? 0) || a - b);
  const counts = wordsPerLength(
    rarestFirst.map((symbol) => frequencies[symbol] ?? 0),
    limit,
  );
  assignWords(code, rarestFirst, counts);
  return code;
}

/** The code of the same lengths for everybody (RFC 1951, section 3.2.2). */
export function canonicalCode(lengths: Uint8Array): Code {
  const bits = new Uint16Array(lengths.length);
  let word = 0;
  for (let length = 1; length <= 15; length += 1) {
    word <<= 1;
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue;
      bits[symbol] = reversed(word, length);
      word += 1;
    }
  }
  return { bits, lengths };
}

/** How many bits all symbols take together. */
export function encodedBits(code: Code, frequencies: ArrayLike<number>): number {
  let sum = 0;
  for (const [symbol, length] of code.lengths.entries()) sum += length * (frequencies[symbol] ?? 0);
  return sum;
}

type Level = { last: number; nextLeaf: number; nextPair: number; needed: number; leaves: number[] };

const NONE = Number.POSITIVE_INFINITY;

/**
 * The package-merge algorithm of Larmore and Hirschberg, in the lazy form that keeps one chain per level: level `n` lists
 * the cheapest leaves and pairs of items of level `n - 1`. `leaves[k]` counts the leaves taken at level `k` on the way to
 * the level's last item. Returns how many words have each length, indexed by length.
 */
function wordsPerLength(ascending: readonly number[], limit: number): number[] {
  const symbols = ascending.length;
  const top = Math.min(limit, symbols - 1);
  const leaf = (index: number): number => ascending[index] ?? NONE;
  const levels: Level[] = Array.from({ length: top + 2 }, (_, depth) => ({
    last: leaf(1),
    nextLeaf: leaf(2),
    nextPair: depth === 1 ? NONE : leaf(0) + leaf(1),
    needed: 0,
    leaves: Array.from({ length: top + 1 }, (_item, index) => (index === depth ? 2 : 0)),
  }));
  const level = (depth: number): Level => levels[depth] ?? unreachable();
  level(0).needed = 0;
  level(top).needed = 2 * symbols - 4;
  let depth = top;
  for (;;) {
    const current = level(depth);
    if (current.nextPair === NONE && current.nextLeaf === NONE) {
      // Nothing is left at this level, so nothing more can come of it above.
      current.needed = 0;
      level(depth + 1).nextPair = NONE;
      depth += 1;
      continue;
    }
    const previous = current.last;
    if (current.nextLeaf < current.nextPair) {
      const taken = (current.leaves[depth] ?? 0) + 1;
      current.leaves[depth] = taken;
      current.last = current.nextLeaf;
      current.nextLeaf = leaf(taken);
    } else {
      current.last = current.nextPair;
      const below = level(depth - 1);
      for (let index = 0; index < depth; index += 1) current.leaves[index] = below.leaves[index] ?? 0;
      below.needed = 2;
    }
    current.needed -= 1;
    if (current.needed > 0) {
      while (level(depth - 1).needed > 0) depth -= 1;
      continue;
    }
    if (depth === top) break;
    level(depth + 1).nextPair = previous + current.last;
    depth += 1;
  }
  const { leaves } = level(top);
  return Array.from({ length: top + 1 }, (_, length) =>
    length === 0 ? 0 : (leaves[top + 1 - length] ?? 0) - (leaves[top - length] ?? 0),
  );
}

function assignWords(code: Code, rarestFirst: readonly number[], counts: readonly number[]): void {
  let word = 0;
  let end = rarestFirst.length;
  for (const [length, count] of counts.entries()) {
    word <<= 1;
    const symbols = rarestFirst.slice(end - count, end).toSorted((a, b) => a - b);
    for (const symbol of symbols) {
      code.bits[symbol] = reversed(word, length);
      code.lengths[symbol] = length;
      word += 1;
    }
    end -= count;
  }
}

function reversed(word: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit += 1) result |= ((word >>> bit) & 1) << (length - 1 - bit);
  return result;
}

function unreachable(): never {
  throw new RangeError("the levels of a Huffman code are all there");
}
