import assert from "node:assert/strict";
import { test } from "node:test";
import { headlineOf } from "./headline.ts";
import type { ShownNode } from "./filter-nodes.ts";

function nodes(levels: string, next: "proven" | "mismatch" = "proven"): ShownNode[] {
  const names = { p: "proven", r: "reported", m: "mismatch", u: "unknown" } as const;
  return Array.from(levels, (letter, index) => {
    const level = names[letter as keyof typeof names];
    const node = {
      name: `n${index}`,
      level,
      release: null,
      identity: "a",
      class: null,
      nextBoot: { level: next, release: null },
      provedAt: null,
      difference: null,
      differences: 0,
    };
    return { node, level };
  });
}

test("good is said only when all is proven", () => {
  const cases = [
    ["ppp", "All 3 nodes are proven: 1 identity", "good"],
    ["p", "1 node is proven: 1 identity", "good"],
    ["ppr", "3 nodes, 1 identity; 1 only reported", "open"],
    ["ppu", "1 node of 3 cannot be judged now", "open"],
    ["pmu", "1 node of 3 is not what was declared; 1 unknown", "bad"],
    ["mm", "2 nodes of 2 are not what was declared", "bad"],
    ["", "No nodes yet", "open"],
  ] as const;
  for (const [levels, headline, state] of cases) assert.deepEqual(headlineOf(nodes(levels)), { headline, state });
  assert.equal(headlineOf(nodes("pp", "mismatch")).headline, "2 nodes of 2 would boot something else next");
});
