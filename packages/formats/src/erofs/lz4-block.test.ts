import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { decompressLz4Block } from "./lz4-block.ts";

/** Literals, then a match: `distance` back, `length` bytes (at least 4). */
function sequence(literals: string, distance?: number, length?: number): Buffer {
  const matchLength = (length ?? 4) - 4;
  const parts: Buffer[] = [Buffer.of((Math.min(15, literals.length) << 4) | Math.min(15, matchLength))];
  parts.push(extension(literals.length), Buffer.from(literals, "latin1"));
  if (distance !== undefined) parts.push(Buffer.of(distance & 255, distance >>> 8), extension(matchLength));
  return Buffer.concat(parts);
}

function extension(length: number): Buffer {
  if (length < 15) return Buffer.alloc(0);
  const rest = length - 15;
  return Buffer.concat([Buffer.alloc(Math.floor(rest / 255), 255), Buffer.of(rest % 255)]);
}

test("literals, matches, matches that repeat themselves, and long lengths", () => {
  const input = Buffer.concat([sequence("abcd", 4, 6), sequence("x", 1, 300), sequence("y".repeat(600))]);
  const expected = `abcdabcdab${"x".repeat(301)}${"y".repeat(600)}`;
  assert.equal(decompressLz4Block(input, expected.length).toString("latin1"), expected);
});

test("only as much as is wanted is decompressed", () => {
  const input = Buffer.concat([sequence("abcd", 4, 600), sequence("end")]);
  for (const size of [0, 2, 4, 9, 604, 606]) {
    assert.equal(decompressLz4Block(input, size).toString("latin1"), `${"abcd".repeat(151)}end`.slice(0, size));
  }
});

const malformed: readonly [string, Buffer, RegExp][] = [
  ["empty", Buffer.alloc(0), /100 bytes, found 0/u],
  ["literals cut off", sequence("abcdef").subarray(0, 4), /6 literals, found 3/u],
  ["length cut off", Buffer.of(0xf0, 255, 255), /whole length/u],
  ["match length cut off", Buffer.of(0x1f, 65, 1, 0), /whole length/u],
  ["distance cut off", Buffer.of(0x10, 65, 1), /100 bytes, found 1/u],
  ["distance 0", sequence("ab", 0, 4), /distance 0/u],
  ["distance before the beginning", sequence("ab", 3, 4), /within 2 bytes, found distance 3/u],
  ["ends too early", sequence("ab", 2, 50), /100 bytes, found 52/u],
];

for (const [what, input, message] of malformed) {
  test(`malformed block: ${what}`, () => {
    assert.throws(() => decompressLz4Block(input, 100), { name: "AshlarError", code: "malformed", message });
  });
}

test("fuzz: any bytes give as many bytes as wanted or an AshlarError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5000), (input, size) => {
      try {
        assert.equal(decompressLz4Block(input, size).length, size);
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
