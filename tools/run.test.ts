import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "..");

function runIn(program: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: "utf8" });
  return { status, stdout, stderr };
}

test("every step has help with examples", () => {
  for (const step of ["demo", "test", "check", "faults", "bench", "fuzz", "docs", "package"]) {
    const { status, stdout, stderr } = runIn("sh", ["tools/run", step, "--help"]);
    assert.deepEqual({ step, status, stderr }, { step, status: 0, stderr: "" });
    assert.match(stdout, /^Usage: npm (?:run )?(?:\S+)[\s\S]+\nOptions:\n[\s\S]+\nExamples:\n {2}npm /u);
  }
});

test("what a step does not know is a usage error, without a stack trace", () => {
  const commands = [
    ["apps/demo/src/main.ts", "--nonsense"],
    ["tools/test.ts", "--nonsense"],
    ["test/bench/index.ts", "nonsense"],
    ["test/bench/index.ts", "5"],
    ["test/e2e/index.ts", "test/nonsense.test.ts"],
    ["test/fuzz/index.ts", "--only", "nonsense"],
  ];
  for (const command of commands) {
    const { status, stdout, stderr } = runIn(process.execPath, command);
    assert.deepEqual({ command, status, stdout }, { command, status: 64, stdout: "" });
    assert.match(stderr, /^(?:error|demo): .*(?:nonsense|5)/u);
    assert.doesNotMatch(stderr, /\n +at /u);
  }
  assert.equal(runIn("sh", ["tools/run", "nonsense"]).status, 64);
});
