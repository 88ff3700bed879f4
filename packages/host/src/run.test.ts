import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run, runForText } from "./run.ts";
import { withTemporaryDirectory } from "./temporary-directory.ts";

test("output, input and accepted statuses", async () => {
  assert.equal(await runForText("cat", [], { input: "one\n" }), "one");
  assert.equal((await run("sh", ["-c", "exit 3"], { acceptStatus: [3] })).status, 3);
  const lines: string[] = [];
  await run("printf", ["a\\nb\\n"], { onLine: (line) => lines.push(line) });
  assert.deepEqual(lines, ["a", "b"]);
});

test("a failure says which program, how it ended and what it said last", async () => {
  await assert.rejects(run("sh", ["-c", "echo reason >&2; exit 4"]), { code: "failed", message: /status 4: reason$/u });
  await assert.rejects(run("no-such-program-here", []), { code: "missing-tool", hint: undefined });
  await assert.rejects(run("sleep", ["60"], { timeoutMs: 50 }), { code: "failed", message: /ended by SIGTERM/u });
});

test("an interrupted program cleans up before the call ends", async () => {
  await withTemporaryDirectory(async (directory) => {
    const mark = join(directory, "cleaned");
    const interruption = new AbortController();
    const script = `trap 'sleep 0.3; touch ${mark}; exit 1' TERM; echo ready; while :; do sleep 0.05; done`;
    const running = run("sh", ["-c", script], {
      signal: interruption.signal,
      onLine: () => interruption.abort(),
    });
    await assert.rejects(running, { code: "interrupted" });
    assert.ok(existsSync(mark), "the program's own clean-up ran to its end");
  });
});
