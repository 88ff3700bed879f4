import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

/** Runs Node.js with an output that nobody reads from its start on. */
async function runUnread(output: "stdout" | "stderr", ...args: string[]) {
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname });
  const other = output === "stdout" ? child.stderr : child.stdout;
  child[output].destroy();
  let text = "";
  other.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  child.stdin.end();
  const [status] = await once(child, "close");
  return { status, text };
}

test("without a reader a command ends quietly, with the status of a closed pipe", async () => {
  const cases = [
    ["stdout", "main.ts", "prove", "--help"],
    ["stdout", "main.ts", "--version"],
    ["stdout", "main.ts", "butane", "--help"],
    ["stderr", "main.ts", "prove", "--no-such-option"],
    ["stderr", "main.ts", "butane"],
  ] as const;
  for (const [output, main, ...args] of cases) {
    assert.deepEqual(await runUnread(output, main, ...args), { status: 141, text: "" }, args.join(" "));
  }
});

/** Writes until it is interrupted, and then undoes what it has begun. */
const INTERRUPTED_WORK = `
  import { setTimeout as wait } from "node:timers/promises";
  import { endWithReader, printLine, reportLine } from "@ashlar/host/terminal";
  import { withInterruption } from "./interruption.ts";

  endWithReader();
  await withInterruption(async (signal) => {
    for (; !signal.aborted; await wait(10)) printLine("working");
    reportLine("undone");
  });
`;

test("work that is interrupted without a reader undoes what it has begun", async () => {
  const result = await runUnread("stdout", "--input-type=module", "--eval", INTERRUPTED_WORK);
  assert.deepEqual(result, { status: 141, text: "undone\n" });
});
