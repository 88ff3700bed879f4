import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { inclusionPath, leafHash, rootOfPath, treeRoot } from "./tree.ts";

const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

/** RFC 6962, 2.1, as it is written: split at the largest power of two below n. */
function rootAsWritten(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return sha256(Uint8Array.of(0), only);
  const k = splitOf(leaves.length);
  return sha256(Uint8Array.of(1), rootAsWritten(leaves.slice(0, k)), rootAsWritten(leaves.slice(k)));
}

/** RFC 6962, 2.1.1, as it is written. */
function pathAsWritten(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const k = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m < k
    ? [...pathAsWritten(m, left), rootAsWritten(right)]
    : [...pathAsWritten(m - k, right), rootAsWritten(left)];
}

function splitOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

const leavesOf = (count: number): Buffer[] => Array.from({ length: count }, (_, index) => Buffer.from(`leaf ${index}`));

test("hashes of nothing, of an empty leaf, and of two", () => {
  assert.equal(hex(treeRoot([])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(hex(leafHash("")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  const [a, b] = [leafHash("a"), leafHash("b")];
  assert.deepEqual(treeRoot([a, b]), sha256(Uint8Array.of(1), a, b));
});

test("the tree of seven leaves has the shape of RFC 6962, 2.1.3", () => {
  const inputs = leavesOf(7);
  const leaves = inputs.map((each) => leafHash(each));
  const [a, b, c, d, e, f, j] = leaves;
  const root = (...some: readonly (Buffer | undefined)[]): Buffer =>
    treeRoot(some.map((each) => each ?? Buffer.alloc(0)));
  const [g, h, i, k] = [root(a, b), root(c, d), root(e, f), root(a, b, c, d)];
  const l = root(e, f, j);
  assert.deepEqual(inclusionPath(leaves, 0), [b, h, l]);
  assert.deepEqual(inclusionPath(leaves, 3), [c, g, l]);
  assert.deepEqual(inclusionPath(leaves, 4), [f, j, k]);
  assert.deepEqual(inclusionPath(leaves, 6), [i, k]);
});

test("roots and paths of 1 to 40 leaves are those of the definition, and each path leads to the root", () => {
  for (let size = 1; size <= 40; size++) {
    const inputs = leavesOf(size);
    const leaves = inputs.map((each) => leafHash(each));
    const root = treeRoot(leaves);
    assert.equal(hex(root), hex(rootAsWritten(inputs)), `${size}`);
    for (const [index, leaf] of leaves.entries()) {
      const path = inclusionPath(leaves, index);
      assert.deepEqual(path.map(hex), pathAsWritten(index, inputs).map(hex), `${index} of ${size}`);
      assert.equal(hex(rootOfPath(leaf, index, size, path)), hex(root), `${index} of ${size}`);
    }
  }
});

test("a changed bit, another place, a longer or shorter path lead elsewhere or nowhere", () => {
  const place = fc.integer({ min: 1, max: 40 }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)));
  fc.assert(
    fc.property(place, fc.nat(), ([size, index], bit) => {
      const leaves = leavesOf(size).map((each) => leafHash(each));
      const leaf = leaves[index] ?? Buffer.alloc(0);
      const path = inclusionPath(leaves, index);
      const root = hex(treeRoot(leaves));
      const bytes = Buffer.concat([leaf, ...path]);
      const at = bit % (bytes.length * 8);
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
      const parts = Array.from({ length: path.length + 1 }, (_, each) => bytes.subarray(each * 32, each * 32 + 32));
      assert.notEqual(hex(rootOfPath(parts[0] ?? leaf, index, size, parts.slice(1))), root);
      for (const other of [index - 1, index + 1]) assert.notEqual(hex(rootOfPath(leaf, other, size, path)), root);
      assert.notEqual(hex(rootOfPath(leaf, index, size, [...path, leaf])), root);
      if (size > 1) assert.notEqual(hex(rootOfPath(leaf, index, size, path.slice(1))), root);
    }),
  );
});

test("one leaf more, one less, two swapped: another root", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), (size, pick) => {
      const leaves = leavesOf(size).map((each) => leafHash(each));
      const root = hex(treeRoot(leaves));
      const at = pick % size;
      assert.notEqual(hex(treeRoot(leaves.toSpliced(at, 1))), root);
      assert.notEqual(hex(treeRoot(leaves.toSpliced(at, 0, leaves[at] ?? Buffer.alloc(32)))), root);
      const [one, two] = [leaves[at], leaves[(at + 1) % size]];
      assert.notEqual(
        hex(treeRoot(leaves.with(at, two ?? Buffer.alloc(0)).with((at + 1) % size, one ?? Buffer.alloc(0)))),
        root,
      );
    }),
  );
});

test("places that no tree has lead nowhere", () => {
  const leaf = leafHash("");
  for (const [index, size] of [
    [0, 0],
    [1, 1],
    [-1, 1],
    [0.5, 1],
    [0, 2 ** 31],
    [0, Number.NaN],
  ] as const) {
    assert.equal(rootOfPath(leaf, index, size, []), undefined);
  }
  assert.throws(() => inclusionPath([], 0), RangeError);
});
