import assert from "node:assert/strict";
import { test } from "node:test";
import { isTooDeep } from "./deep-text.ts";

test("brackets that stay open and lines far to the right are deep, as many that are closed are not", () => {
  const limits = { brackets: 2, indentation: 4 };
  assert.deepEqual(
    ["[[", "[{[", "[][][]{}", "]]]][[", "a:\n   b", "a:\n    b", "- - x", "x -   -"].map((text) =>
      isTooDeep(text, limits),
    ),
    [false, true, false, false, false, true, true, false],
  );
});
