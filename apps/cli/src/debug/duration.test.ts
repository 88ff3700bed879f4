import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "./duration.ts";

test("times", () => {
  const times = [
    ["1h", 3600],
    ["20m", 1200],
    ["90s", 90],
    ["1h30m", 5400],
    ["24h", 86_400],
  ] as const;
  for (const [text, seconds] of times) assert.equal(parseDuration(text), seconds);
  for (const text of ["", "0s", "1", "h", "25h", "1m1h", "-1h", "1.5h", "99999999h", " 1h"]) {
    assert.throws(() => parseDuration(text), { code: "usage" }, text);
  }
});
