/** Ctrl-C ends the demo with all that it has begun, whatever that is. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { createInterface } from "node:readline";
import { findProcesses } from "@ashlar/host";
import { removeLabOnSignal, ROOT } from "../e2e/world.ts";

const LAB = "demo-interrupted";
const MINUTES = 60_000;
removeLabOnSignal(LAB);

for (const [signal, when, moment] of [
  ["SIGINT", "while it builds", /assembling \/usr/u],
  ["SIGTERM", "while its machines boot", /^node-1: (?!making)/u],
] as const) {
  test(`${signal} ${when} leaves nothing running`, { timeout: 60 * MINUTES }, async () => {
    const { status, meanwhile, lines } = await interruptDemo(signal, moment);
    assert.ok(meanwhile.length > 0, `something ran when ${String(moment)} was said:\n${lines.join("\n")}`);
    assert.equal(status, 130, lines.slice(-20).join("\n"));
    assert.deepEqual(await processesOfDemo(), []);
  });
}

/** Plays until a line matches; then only the demo's own process gets the signal, as from a service manager. */
async function interruptDemo(signal: NodeJS.Signals, moment: RegExp) {
  const args = ["apps/demo/src/main.ts", "--only", "provision", "--name", LAB];
  const child = spawn("node", args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  const lines: string[] = [];
  let meanwhile: Promise<string[]> | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      lines.push(line);
      console.log(line);
      if (meanwhile !== undefined || !moment.test(line)) return;
      meanwhile = processesOfDemo().finally(() => child.kill(signal));
    });
  }
  const [status]: unknown[] = await ended;
  return { status, meanwhile: (await meanwhile) ?? [], lines };
}

/** Commands name the demo's directory or its lab; machines and servers have a path of their lab among their arguments. */
async function processesOfDemo(): Promise<string[]> {
  const marks = [join(ROOT, "out/demo/"), LAB];
  const found = await findProcesses(
    (argv) => !argv.includes("apps/demo/src/main.ts") && argv.some((text) => marks.some((mark) => text.includes(mark))),
  );
  return found.map(({ argv }) => argv.join(" "));
}
