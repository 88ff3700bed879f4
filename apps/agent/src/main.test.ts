import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";

test("output that nobody reads is dropped, and the work keeps its status", async () => {
  for (const [status, ...args] of [
    [0, "agent", "--help"],
    [64, "agent", "--no-such-option"],
  ] as const) {
    const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args]);
    child.stdout.destroy();
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    if (status !== 0) child.stderr.destroy();
    assert.deepEqual(await once(child, "close"), [status, null], args.join(" "));
    assert.equal(errors, "");
  }
});
