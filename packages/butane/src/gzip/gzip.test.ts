import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { gzip } from "./gzip.ts";

/** Bytes that look like text, noise or runs, the same each time. */
function bytes(size: number, alphabet: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % alphabet;
  });
}

/** Around the window (32 KiB) and the buffer of two windows; texts of two letters take long. */
const INPUTS: readonly (readonly [size: number, alphabet: number])[] = [
  ...[0, 1, 3, 4, 5, 100, 32_769, 65_537, 100_000].flatMap((size) =>
    [1, 17, 256].map((alphabet) => [size, alphabet] as const),
  ),
  [20_000, 2],
];

test("what is compressed comes back, and has the bytes of Go's compress/gzip at level 9", () => {
  const digest = createHash("sha256");
  for (const [size, alphabet] of INPUTS) {
    const plain = bytes(size, alphabet);
    const compressed = gzip(plain);
    digest.update(compressed);
    assert.ok(Buffer.from(plain).equals(gunzipSync(compressed)), `${size} bytes of ${alphabet}`);
  }
  // Of the files that Go 1.26 writes for the same inputs, one after the other.
  assert.equal(digest.digest("hex"), "5641792ed0d0461012b65cd9797a61e252b0b16827eff51b521267894921d1a3");
});
