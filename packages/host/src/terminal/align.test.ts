import assert from "node:assert/strict";
import { test } from "node:test";
import { alignColumns } from "./align.ts";

test("each cell is as wide as the widest of its column, the last of a row as it is", () => {
  const rows = [["NODE", "STATE", "PORT"], ["node-1", "up", "ssh 22"], ["n"]];
  assert.deepEqual(alignColumns(rows), [["NODE  ", "STATE", "PORT"], ["node-1", "up   ", "ssh 22"], ["n"]]);
  assert.deepEqual(alignColumns([]), []);
});
