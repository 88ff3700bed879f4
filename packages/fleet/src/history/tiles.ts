/**
 * A log as files that never change (C2SP, tlog-tiles.md): hashes of the tree in tiles of 256, entries in bundles of as many.
 * The last tile of each level may have fewer, and is another file then.
 */
import { AshlarError } from "@ashlar/base";
import { leafHash, treeRoot } from "../merkle/tree.ts";

export const CHECKPOINT_PATH = "checkpoint";
export const MAX_ENTRY_BYTES = 65_535;
export const MAX_TILE_BYTES = 8192;
/** Of a whole tile, and of a whole bundle. */
export const TILE_WIDTH = 256;
const HASH_BYTES = 32;
const LENGTH_BYTES = 2;
export const MAX_BUNDLE_BYTES: number = TILE_WIDTH * (LENGTH_BYTES + MAX_ENTRY_BYTES);

/** A tile, or a bundle of entries: the `index`-th of its level, with its first `width` members. */
export type Place = { readonly level: number | "entries"; readonly index: number; readonly width: number };

/** The bundles of a log with this many entries. */
export function entryPlaces(size: number): Place[] {
  return rowOf("entries", size);
}

/** Its tiles, level by level. */
export function tilePlaces(size: number): Place[] {
  const places: Place[] = [];
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / TILE_WIDTH)) {
    places.push(...rowOf(level, count));
  }
  return places;
}

/** What comes to a log that grows, or takes the place of a part. */
export function newPlaces(before: number, after: number): Place[] {
  const all = (size: number): Place[] => [...entryPlaces(size), ...tilePlaces(size)];
  const old = new Set(all(before).map(pathOf));
  return all(after).filter((place) => !old.has(pathOf(place)));
}

function rowOf(level: Place["level"], count: number): Place[] {
  const full = Math.floor(count / TILE_WIDTH);
  const row = Array.from({ length: full }, (_, index) => ({ level, index, width: TILE_WIDTH }));
  return count % TILE_WIDTH === 0 ? row : [...row, { level, index: full, width: count % TILE_WIDTH }];
}

/** "Merkle Tree": the number in groups of three digits, all but the last after an x. */
export function pathOf({ level, index, width }: Place): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, "0");
  const groups = digits.match(/\d{3}/gu) ?? [];
  const name = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join("/");
  return `tile/${level}/${name}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

/** The bytes of a tile, from the hashes of all leaves. */
export function tileOf({ level, index, width }: Place, leaves: readonly Uint8Array[]): Buffer {
  if (level === "entries") throw new RangeError("expected a level of the tree");
  const span = TILE_WIDTH ** level;
  const first = index * TILE_WIDTH;
  return Buffer.concat(
    Array.from({ length: width }, (_, at) => treeRoot(leaves.slice((first + at) * span, (first + at + 1) * span))),
  );
}

/** "Log entries": each after its length in two bytes, big-endian. */
export function bundleOf(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      if (entry.length > MAX_ENTRY_BYTES) throw new AshlarError("limit", `expected an entry of at most 64 KiB`);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** @throws AshlarError `malformed` when it has not exactly so many entries */
export function parseBundle(bytes: Buffer, width: number): Buffer[] {
  const entries: Buffer[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length && entries.length < width) {
    const start = at + LENGTH_BYTES;
    at = start + bytes.readUInt16BE(at);
    if (at > bytes.length) break;
    entries.push(bytes.subarray(start, at));
  }
  if (entries.length === width && at === bytes.length) return entries;
  throw new AshlarError("malformed", `bundle: expected ${width} entries and nothing else, found other bytes`);
}

/** @throws AshlarError `malformed` when it has not exactly so many hashes */
export function parseTile(bytes: Buffer, width: number): Buffer[] {
  if (bytes.length !== width * HASH_BYTES) {
    throw new AshlarError("malformed", `tile: expected ${width} hashes, found ${bytes.length} bytes`);
  }
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

/** The hashes of entries, which are the leaves of the tree. */
export function leavesOf(entries: readonly Uint8Array[]): Buffer[] {
  return entries.map((entry) => leafHash(entry));
}
