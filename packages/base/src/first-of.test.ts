import assert from "node:assert/strict";
import { test } from "node:test";
import { firstOf } from "./first-of.ts";

test("of many names the first few are told, and how many more there are", () => {
  assert.equal(firstOf(["a", "b", "c"], 2), "a, b and 1 more");
  assert.equal(firstOf(["a", "b"], 2), "a, b");
  assert.equal(firstOf([], 2), "");
});
