import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { runtimeDirectory } from "./directories.ts";

test("the directory for sockets is short, and only this user can enter it", () => {
  const directory = runtimeDirectory();
  assert.ok(Buffer.byteLength(directory) <= 60, directory);
  const found = statSync(directory);
  assert.equal(found.uid, process.getuid?.());
  assert.equal(found.mode & 0o077, 0);
});
