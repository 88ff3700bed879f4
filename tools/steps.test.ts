import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { runSteps, type Step } from "./steps.ts";

/** Runs steps in two lanes; gives what was printed and which steps passed. */
async function runQuietly(context: TestContext, steps: readonly Step[], lookMs: number) {
  const printed: string[] = [];
  context.mock.method(console, "log", (line: string) => printed.push(line));
  // The test runner talks to its parent through the same stream, in bytes.
  const write = process.stdout.write.bind(process.stdout);
  context.mock.method(process.stdout, "write", (data: string | Uint8Array) => {
    if (typeof data !== "string") return write(data);
    printed.push(data);
    return true;
  });
  const results = await runSteps(steps, 2, lookMs);
  context.mock.restoreAll();
  const passed = Object.fromEntries(results.map((result) => [result.step.name, result.passed]));
  return { passed, printed: printed.join("\n") };
}

test("steps run side by side; what a failed one printed is shown", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "ashlar-steps-"));
  context.after(async () => await rm(folder, { recursive: true }));
  // Each waits for the other: one after the other, the first would never end.
  const meet = (own: string, other: string): string =>
    `cd '${folder}'; touch ${own}; until [ -e ${other} ]; do sleep 0.05; done`;
  const { passed, printed } = await runQuietly(
    context,
    [
      { name: "meets", command: ["sh", "-c", meet("a", "b")] },
      { name: "fails", command: ["sh", "-c", `${meet("b", "a")}; echo why >&2; exit 3`] },
      { name: "missing", command: ["no-such-program-here"] },
    ],
    60_000,
  );
  assert.deepEqual(passed, { meets: true, fails: false, missing: false });
  assert.match(printed, /\$ sh -c cd .*; echo why >&2; exit 3\nwhy\n+\S*FAIL\S* fails /u);
  assert.match(printed, /could not start no-such-program-here: Error: spawn no-such-program-here ENOENT/u);
});

test("a step that works without a line may take its time", async (context) => {
  const work = `for (const end = Date.now() + 4000; Date.now() < end;);`;
  const { passed } = await runQuietly(context, [{ name: "works", command: [process.execPath, "-e", work] }], 1000);
  assert.deepEqual(passed, { works: true });
});

test("a step that keeps saying something may take its time", async (context) => {
  const talk = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.2; echo $i; done";
  const { passed } = await runQuietly(context, [{ name: "talks", command: ["sh", "-c", talk] }], 2000);
  assert.deepEqual(passed, { talks: true });
});

test("a step that hangs is ended with all that it started, and what hung is named", async (context) => {
  const { passed, printed } = await runQuietly(
    context,
    [{ name: "hangs", command: ["sh", "-c", "sleep 987 & wait"] }],
    300,
  );
  assert.deepEqual(passed, { hangs: false });
  assert.match(printed, /silent for \d\.\d s, and ended:\n[^]*sleep 987\n/u);
});
