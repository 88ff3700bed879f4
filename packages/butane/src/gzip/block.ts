import type { BitWriter } from "./bit-writer.ts";
import { canonicalCode, encodedBits, huffmanCode, type Code } from "./huffman.ts";

/**
 * A literal byte (below 256), or a match: its length above the low 16 bits, its distance minus 1 within them.
 * Lengths are 3 to 258 and distances 1 to 32768.
 */
export type Token = number;

export function matchToken(length: number, distance: number): Token {
  return (length << 16) | (distance - 1);
}

const END_OF_BLOCK = 256;
const LITERALS = 286;
const DISTANCES = 30;
const MAX_STORED_BYTES = 65_535;

/** Extra bits of the length codes 257 to 285 and of the distance codes (RFC 1951, section 3.2.5). */
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const LENGTH_BASE: number[] = [];
const LENGTH_CODE = new Uint8Array(259);
for (let code = 0, base = 3; code < 28; code += 1) {
  LENGTH_BASE.push(base);
  const next = base + (1 << (LENGTH_EXTRA[code] ?? 0));
  LENGTH_CODE.fill(code, base, next);
  base = next;
}
LENGTH_BASE.push(258);
LENGTH_CODE[258] = 28;

const DISTANCE_EXTRA = Array.from({ length: DISTANCES }, (_, code) => (code < 4 ? 0 : (code >> 1) - 1));
const DISTANCE_BASE: number[] = [];
for (let code = 0, base = 0; code < DISTANCES; code += 1) {
  DISTANCE_BASE.push(base);
  base += 1 << (DISTANCE_EXTRA[code] ?? 0);
}

/** The order in which lengths of code length codes are written (section 3.2.7). */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The codes that need no header (section 3.2.6). Made when first needed. */
let fixed: { readonly literals: Code; readonly distances: Code } | undefined;

function fixedCodes(): NonNullable<typeof fixed> {
  const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
  fixed ??= { literals: canonicalCode(lengths), distances: canonicalCode(new Uint8Array(DISTANCES).fill(5)) };
  return fixed;
}

const literalFrequencies = new Uint32Array(LITERALS);
const distanceFrequencies = new Uint32Array(DISTANCES);

/**
 * Writes one block that is not the last, in the cheapest of the three forms. `stored` is the same data as it was, if it
 * is still at hand.
 */
export function writeBlock(writer: BitWriter, tokens: Uint32Array, stored: Uint8Array | undefined): void {
  countSymbols(tokens);
  const literalCount = lastUsed(literalFrequencies) + 1;
  const distanceCount = Math.max(1, lastUsed(distanceFrequencies) + 1);
  // A dynamic block needs one distance code even where no distance occurs.
  if (lastUsed(distanceFrequencies) < 0) distanceFrequencies[0] = 1;
  const literals = huffmanCode(literalFrequencies, 15);
  const distances = huffmanCode(distanceFrequencies, 15);
  const header = dynamicHeader(
    literals.lengths.subarray(0, literalCount),
    distances.lengths.subarray(0, distanceCount),
  );

  const storable = stored !== undefined && stored.length <= MAX_STORED_BYTES;
  const known = fixedCodes();
  const fixedSize =
    3 + encodedBits(known.literals, literalFrequencies) + encodedBits(known.distances, distanceFrequencies);
  const dynamicSize =
    header.size + encodedBits(literals, literalFrequencies) + encodedBits(distances, distanceFrequencies);
  const size = Math.min(fixedSize, dynamicSize);
  if (storable && (stored.length + 5) * 8 < size + extraBits()) {
    writeStored(writer, stored, false);
  } else if (dynamicSize < fixedSize) {
    writer.write(0b100, 3);
    writeDynamicHeader(writer, header, literalCount, distanceCount);
    writeTokens(writer, tokens, literals, distances);
  } else {
    writer.write(0b010, 3);
    writeTokens(writer, tokens, known.literals, known.distances);
  }
}

/** Writes bytes as they are (section 3.2.4). */
export function writeStored(writer: BitWriter, bytes: Uint8Array, last: boolean): void {
  writer.write(Number(last), 3);
  writer.align();
  writer.write(bytes.length, 16);
  writer.write(~bytes.length & 0xff_ff, 16);
  writer.writeBytes(bytes);
}

function countSymbols(tokens: Uint32Array): void {
  literalFrequencies.fill(0);
  distanceFrequencies.fill(0);
  const count = (frequencies: Uint32Array, symbol: number): void => {
    frequencies[symbol] = (frequencies[symbol] ?? 0) + 1;
  };
  for (const token of tokens) {
    if (token < 256) {
      count(literalFrequencies, token);
    } else {
      count(literalFrequencies, 257 + (LENGTH_CODE[token >>> 16] ?? 0));
      count(distanceFrequencies, distanceCode(token & 0xff_ff));
    }
  }
  count(literalFrequencies, END_OF_BLOCK);
}

function lastUsed(frequencies: Uint32Array): number {
  return frequencies.findLastIndex((frequency) => frequency > 0);
}

/** The distance code for a distance minus 1: two codes for each power of two from 4 on. */
function distanceCode(distance: number): number {
  if (distance < 4) return distance;
  const extra = 30 - Math.clz32(distance);
  return 2 * extra + 2 + ((distance >>> extra) & 1);
}

function extraBits(): number {
  let sum = 0;
  for (const [code, extra] of LENGTH_EXTRA.entries()) sum += extra * (literalFrequencies[257 + code] ?? 0);
  for (const [code, extra] of DISTANCE_EXTRA.entries()) sum += extra * (distanceFrequencies[code] ?? 0);
  return sum;
}

/** A run-length coded list of code lengths: symbols, each with its extra bits where it is 16, 17 or 18. */
type Header = {
  readonly symbols: readonly (readonly [symbol: number, extra: number])[];
  readonly code: Code;
  /** How many lengths of the code are written. */
  readonly lengthCount: number;
  readonly size: number;
};

const RUN_BITS: Readonly<Record<number, number>> = { 16: 2, 17: 3, 18: 7 };

function dynamicHeader(literalLengths: Uint8Array, distanceLengths: Uint8Array): Header {
  const symbols = runLengths([...literalLengths, ...distanceLengths]);
  const frequencies = new Uint32Array(19);
  for (const [symbol] of symbols) frequencies[symbol] = (frequencies[symbol] ?? 0) + 1;
  const code = huffmanCode(frequencies, 7);
  let lengthCount = LENGTH_ORDER.length;
  while (lengthCount > 4 && frequencies[LENGTH_ORDER[lengthCount - 1] ?? 0] === 0) lengthCount -= 1;
  let size = 3 + 5 + 5 + 4 + 3 * lengthCount + encodedBits(code, frequencies);
  for (const [symbol] of symbols) size += RUN_BITS[symbol] ?? 0;
  return { symbols, code, lengthCount, size };
}

function runLengths(lengths: readonly number[]): (readonly [number, number])[] {
  const symbols: (readonly [number, number])[] = [];
  let index = 0;
  while (index < lengths.length) {
    const length = lengths[index] ?? 0;
    let end = index;
    while (end < lengths.length && lengths[end] === length) end += 1;
    let count = end - index;
    if (length === 0) {
      for (; count >= 11; count -= Math.min(count, 138)) symbols.push([18, Math.min(count, 138) - 11]);
      if (count >= 3) {
        symbols.push([17, count - 3]);
        count = 0;
      }
    } else {
      symbols.push([length, 0]);
      count -= 1;
      for (; count >= 3; count -= Math.min(count, 6)) symbols.push([16, Math.min(count, 6) - 3]);
    }
    for (; count > 0; count -= 1) symbols.push([length, 0]);
    index = end;
  }
  return symbols;
}

function writeDynamicHeader(writer: BitWriter, header: Header, literalCount: number, distanceCount: number): void {
  writer.write(literalCount - 257, 5);
  writer.write(distanceCount - 1, 5);
  writer.write(header.lengthCount - 4, 4);
  for (const symbol of LENGTH_ORDER.slice(0, header.lengthCount)) writer.write(header.code.lengths[symbol] ?? 0, 3);
  for (const [symbol, extra] of header.symbols) {
    writer.write(header.code.bits[symbol] ?? 0, header.code.lengths[symbol] ?? 0);
    const runBits = RUN_BITS[symbol];
    if (runBits !== undefined) writer.write(extra, runBits);
  }
}

function writeTokens(writer: BitWriter, tokens: Uint32Array, literals: Code, distances: Code): void {
  const writeSymbol = (code: Code, symbol: number): void => {
    writer.write(code.bits[symbol] ?? 0, code.lengths[symbol] ?? 0);
  };
  for (const token of tokens) {
    if (token < 256) {
      writeSymbol(literals, token);
      continue;
    }
    const length = token >>> 16;
    const lengthCode = LENGTH_CODE[length] ?? 0;
    writeSymbol(literals, 257 + lengthCode);
    writer.write(length - (LENGTH_BASE[lengthCode] ?? 0), LENGTH_EXTRA[lengthCode] ?? 0);
    const distance = token & 0xff_ff;
    const code = distanceCode(distance);
    writeSymbol(distances, code);
    writer.write(distance - (DISTANCE_BASE[code] ?? 0), DISTANCE_EXTRA[code] ?? 0);
  }
  writeSymbol(literals, END_OF_BLOCK);
}
