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
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      if (lengths[symbol] !== length) continue;
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

/** A leaf (one more symbol, in ascending order), or the pair of the two items of the level below that come next. */
type Item = { readonly weight: number; readonly isLeaf: boolean };

/**
 * The package-merge algorithm of Larmore and Hirschberg: each level merges all leaves with pairs of the items of the level
 * below, pairs first where weights are equal. Of the top level the cheapest `2 * symbols - 2` items are taken, and with
 * them what their pairs consist of; the n-th leaf taken from a level makes the word of the n-th symbol a bit longer.
 * Returns how many words have each length, indexed by length.
 */
function wordsPerLength(ascending: readonly number[], limit: number): number[] {
  const leaves = ascending.map((weight) => ({ weight, isLeaf: true }));
  const levels: (readonly Item[])[] = [leaves];
  // Words are never longer than there are symbols to tell apart.
  for (let level = 1; level < Math.min(limit, ascending.length - 1); level += 1) {
    levels.push(mergePairs(leaves, levels[level - 1] ?? []));
  }
  const bits = ascending.map(() => 0);
  let taken = 2 * ascending.length - 2;
  for (const items of levels.toReversed()) {
    const leafCount = items.slice(0, taken).filter((item) => item.isLeaf).length;
    for (let symbol = 0; symbol < leafCount; symbol += 1) bits[symbol] = (bits[symbol] ?? 0) + 1;
    taken = 2 * (taken - leafCount);
  }
  return Array.from({ length: levels.length + 1 }, (_, length) => bits.filter((count) => count === length).length);
}

function mergePairs(leaves: readonly Item[], below: readonly Item[]): Item[] {
  const merged: Item[] = [];
  let leaf = 0;
  for (let index = 0; index + 1 < below.length; index += 2) {
    const weight = (below[index]?.weight ?? 0) + (below[index + 1]?.weight ?? 0);
    for (let next = leaves[leaf]; next !== undefined && next.weight < weight; next = leaves[leaf]) {
      merged.push(next);
      leaf += 1;
    }
    merged.push({ weight, isLeaf: false });
  }
  merged.push(...leaves.slice(leaf));
  return merged;
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
