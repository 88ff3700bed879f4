import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createProgressPrinter } from "./progress-printer.ts";

test("away from a terminal each change is a line, and silence is broken twice a minute", (context: TestContext) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const lines: string[] = [];
  let nowMs = 5000;
  const printer = createProgressPrinter({
    write: (text) => lines.push(text.toString()),
    isTerminal: false,
    nowMs: () => nowMs,
  });
  printer.report({ message: "making disks" });
  printer.report({ node: "node-1", phase: "firmware", seconds: 0 });
  printer.report({ node: "node-1", phase: "initrd", seconds: 14.4 });
  nowMs += 44_400;
  context.mock.timers.tick(30_000);
  printer.report({ node: "node-1", phase: "agent", seconds: 60 });
  context.mock.timers.tick(60_000);
  printer.close();
  assert.deepEqual(lines, [
    "making disks\n",
    "node-1: firmware (0 s)\n",
    "node-1: initrd (14 s)\n",
    "still starting: node-1 initrd (44 s)\n",
    "node-1: agent up (60 s)\n",
  ]);
});

test("a terminal shows one line per node, drawn again in place", (context: TestContext) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  let screen = "";
  let nowMs = 5000;
  const printer = createProgressPrinter({
    write: (text) => (screen = text.toString()),
    isTerminal: true,
    nowMs: () => nowMs,
  });
  printer.report({ node: "node-1", phase: "firmware", seconds: 0 });
  printer.report({ node: "node-2", phase: "firmware", seconds: 0 });
  printer.report({ node: "node-1", phase: "initrd", seconds: 12 });
  printer.report({ node: "node-1", phase: "agent", seconds: 60 });
  nowMs += 75_000;
  printer.close();
  assert.ok(screen.startsWith("\u001B[2A\u001B[J"), "the two lines are replaced");
  assert.match(screen, /node-1 {2}firmware 12 s {2}initrd 48 s {2}up after 60 s\nnode-2 {2}firmware 75 s\n$/u);
});
