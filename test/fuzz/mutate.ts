import type { Random } from "./random.ts";

/** Changes some bytes of a valid input, as damage and as attackers do. The result is a new array. */
export function mutate(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(pick(seeds, random));
  for (let rounds = 1 + random(MAX_ROUNDS); rounds > 0; rounds -= 1) {
    bytes = pick(MUTATIONS, random)(bytes, random, seeds);
  }
  return bytes;
}

const MAX_ROUNDS = 4;
/** Seeds stay below half of this; splices must not grow without end. */
export const MAX_INPUT_BYTES: number = 2 * 1024 * 1024;

type Mutation = (bytes: Uint8Array, random: Random, seeds: readonly Uint8Array[]) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  setByte,
  bumpInteger,
  truncate,
  append,
  removeRange,
  repeatRange,
  splice,
];

function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  return withByte(bytes, random, (value) => value ^ (1 << random(8)));
}

function setByte(bytes: Uint8Array, random: Random): Uint8Array {
  const values = [0x00, 0x01, 0x0a, 0x20, 0x22, 0x2d, 0x30, 0x5b, 0x7b, 0x7f, 0x80, 0xff];
  return withByte(bytes, random, () => pick(values, random));
}

function withByte(bytes: Uint8Array, random: Random, change: (value: number) => number): Uint8Array {
  const offset = random(Math.max(1, bytes.length));
  const value = bytes[offset];
  if (value !== undefined) bytes[offset] = change(value);
  return bytes;
}

/** Sizes, counts and offsets are integers: a little more, a little less, or absurd. */
function bumpInteger(bytes: Uint8Array, random: Random): Uint8Array {
  const width = pick([1, 2, 4] as const, random);
  if (bytes.length < width) return bytes;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const offset = random(bytes.length - width + 1);
  const littleEndian = random(2) === 1;
  const limit = 2 ** (8 * width);
  const value = littleEndian ? view.readUIntLE(offset, width) : view.readUIntBE(offset, width);
  const bumped = pick([value + 1, value - 1, value + 8, value * 2, limit - 1, limit / 2, 0], random);
  const wrapped = ((bumped % limit) + limit) % limit;
  if (littleEndian) view.writeUIntLE(wrapped, offset, width);
  else view.writeUIntBE(wrapped, offset, width);
  return bytes;
}

function truncate(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(0, random(bytes.length + 1));
}

function append(bytes: Uint8Array, random: Random): Uint8Array {
  return concatenate(
    bytes,
    Uint8Array.from({ length: 1 + random(16) }, () => random(256)),
  );
}

function removeRange(bytes: Uint8Array, random: Random): Uint8Array {
  const [start, end] = range(bytes, random);
  return concatenate(bytes.subarray(0, start), bytes.subarray(end));
}

function repeatRange(bytes: Uint8Array, random: Random): Uint8Array {
  const [start, end] = range(bytes, random);
  return concatenate(bytes.subarray(0, end), bytes.subarray(start));
}

/** The beginning of one valid input with the end of another. */
function splice(bytes: Uint8Array, random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  const other = pick(seeds, random);
  return concatenate(bytes.subarray(0, random(bytes.length + 1)), other.subarray(random(other.length + 1)));
}

function range(bytes: Uint8Array, random: Random): [start: number, end: number] {
  const start = random(bytes.length + 1);
  return [start, start + random(Math.min(bytes.length - start, 64) + 1)];
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts).subarray(0, MAX_INPUT_BYTES));
}

function pick<T>(values: readonly T[], random: Random): T {
  const value = values[random(values.length)];
  if (value === undefined) throw new Error("expected something to pick from");
  return value;
}
