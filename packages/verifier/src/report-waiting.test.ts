import assert from "node:assert/strict";
import { test } from "node:test";
import { reportWaiting } from "./report-waiting.ts";

test("who has not answered is named every 20 seconds, and nobody when all have", (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const lines: string[] = [];
  const asked = new Set(["node-1", "node-2", "node-3", "node-4"]);
  {
    using _waiting = reportWaiting(asked, (line) => lines.push(line));
    context.mock.timers.tick(20_000);
    asked.delete("node-1");
    context.mock.timers.tick(20_000);
    asked.clear();
    context.mock.timers.tick(20_000);
    asked.add("node-1");
  }
  context.mock.timers.tick(60_000);
  assert.deepEqual(lines, [
    "still waiting for node-1, node-2, node-3 and 1 more (20 s)",
    "still waiting for node-2, node-3, node-4 (40 s)",
  ]);
});
