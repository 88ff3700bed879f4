import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSeconds } from "./seconds.ts";

test("a number of seconds within its bounds, and nothing else", () => {
  const parse = parseSeconds("--timeout", { least: 1, most: 600 });
  assert.deepEqual(["1", "060", "600"].map(parse), [1, 60, 600]);
  for (const text of ["0", "601", "-1", "1.5", "1e2", "0x10", " 1", "", "1m", "1".repeat(400)]) {
    assert.throws(() => parse(text), { code: "usage", message: /from 1 to 600 after --timeout, found/u }, text);
  }
});
