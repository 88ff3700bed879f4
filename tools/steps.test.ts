import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { runSteps, type Step } from "./steps.ts";

/** Runs steps in two lanes; gives what was printed and which steps passed. */
async function runQuietly(context: TestContext, steps: readonly Step[], limitMs: number) {
  const printed: string[] = [];
  context.mock.method(console, "log", (line: string) => printed.push(line));
  // The test runner talks to its parent through the same stream, in bytes.
  const write = process.stdout.write.bind(process.stdout);
  context.mock.method(process.stdout, "write", (data: string | Uint8Array) => {
    if (typeof data !== "string") return write(data);
    printed.push(data);
    return true;
  });
  const results = await runSteps(steps, 2, limitMs);
  context.mock.restoreAll();
  const passed = Object.fromEntries(results.map((result) => [result.step.name, result.passed]));
  return { passed, printed: printed.join("\n") };
}

test("steps run side by side; what a failed one printed is shown", async (context) => {
  const startedAt = performance.now();
  const { passed, printed } = await runQuietly(
    context,
    [
      { name: "slow", command: ["sh", "-c", "sleep 1"] },
      { name: "fails", command: ["sh", "-c", "sleep 1; echo why >&2; exit 3"] },
      { name: "missing", command: ["no-such-program-here"] },
    ],
    10_000,
  );
  assert.ok(performance.now() - startedAt < 1900);
  assert.deepEqual(passed, { slow: true, fails: false, missing: false });
  assert.match(printed, /\$ sh -c sleep 1; echo why >&2; exit 3\nwhy\n+\S*FAIL\S* fails /u);
  assert.match(printed, /could not start no-such-program-here: Error: spawn no-such-program-here ENOENT/u);
});

test("a step that hangs is ended with all that it started, and what hung is named", async (context) => {
  const { passed, printed } = await runQuietly(
    context,
    [{ name: "hangs", command: ["sh", "-c", "sleep 987 & wait"] }],
    300,
  );
  assert.deepEqual(passed, { hangs: false });
  assert.match(printed, /not finished after 0\.3 s, and ended:\n[^]*sleep 987\n/u);
});
