import assert from "node:assert/strict";
import { test } from "node:test";
import { identityColours, shadeOf } from "./colours.ts";

test("what most nodes are is plain stone; each other identity has its own hue, which does not depend on their order", () => {
  const [a, b, c] = ["aa0000", "bb0000", "cc0000"];
  const colour = identityColours([a, b, b, c, null]);
  assert.equal(colour(b), "stone");
  assert.equal(colour(null), "none");
  assert.equal(typeof colour(a), "number");
  assert.notEqual(colour(a), colour(c));
  const again = identityColours([null, c, b, a, b]);
  assert.deepEqual([a, b, c].map(again), [a, b, c].map(colour));
});

test("more identities than hues have colours all the same", () => {
  const many = Array.from({ length: 40 }, (_, index) => (index * 4099).toString(16).padStart(6, "0"));
  const colour = identityColours(many);
  assert.ok(many.every((identity) => colour(identity) !== "none"));
});

test("shades are small", () => {
  for (let index = 0; index < 100; index += 1) assert.ok(Math.abs(shadeOf(`node-${index}`)) <= 3);
});
