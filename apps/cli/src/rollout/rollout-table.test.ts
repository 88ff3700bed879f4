import assert from "node:assert/strict";
import { test } from "node:test";
import { headOf, RolloutTable, rowsOfAll, rowsOfOne, whatKeeps } from "./rollout-table.ts";
import { rolloutsView, rolloutView } from "./rollout-view.ts";
import { isAtEnd, statusOf } from "./run-status.ts";
import { testRollout } from "./test-rollout.ts";

const NOW_MS = Date.parse("2026-11-30T12:00:00Z");
const STATUS = testRollout().status ?? {};

test("waves in their order, with who is left out not counted; hostile words stay words; columns stay where they are", () => {
  const view = rolloutView(testRollout());
  assert.deepEqual(
    view.waves.map(({ name, isApproved, done, total }) => [name, isApproved, done, total]),
    [
      ["zone-a", true, 1, 2],
      ["rest", false, 0, 1],
    ],
  );
  const table = new RolloutTable("one", true);
  const rows = rowsOfOne(view, true, NOW_MS);
  assert.deepEqual(table.begin(rows).map(String), [
    "WAVE    NODE      STATE     FOR    FROM   DRAINS  WAITS FOR",
    "zone-a  worker-1  Done      2 min  1.0.0  0       -",
    String.raw`zone-a  worker-2  Draining  2 min  1.0.0  1       shop/web-2: PodDisruptionBudget web: \u001b[2Jno`,
    "zone-a  worker-9  Skipped   2 min  -      0       the rollout leaves it out",
    "rest    worker-3  Waiting   2 min  -      0       its wave, rest, has not begun",
  ]);
  assert.equal(String(table.more(rows.slice(0, 1))[0]).indexOf("Done"), 18);
  assert.equal(headOf(view), "to-1-1-0: worker to 1.1.0, Rolling, wave zone-a, 1 of 3 nodes done");
});

test("all of them, the newest first, with what keeps each", () => {
  const old = testRollout({ name: "old", createdAt: "2026-11-29T10:00:00Z", status: { ...STATUS, phase: "Done" } });
  const unseen = testRollout({ name: "unseen", createdAt: "2026-11-30T11:00:00Z", generation: 3 });
  const odd = testRollout({ name: "odd", createdAt: "2026-11-30T11:30:00Z", spec: undefined, fault: "spec: odd" });
  const view = rolloutsView([old, odd, testRollout({}, { paused: true }), unseen], NOW_MS);
  assert.deepEqual(
    rowsOfAll(view.rollouts, false, NOW_MS).map(({ cells }) => [cells[0], cells.at(-1)]),
    [
      ["odd", "spec: odd"],
      ["unseen", "the operator has not looked at it since it was changed"],
      ["to-1-1-0", "it is paused"],
      ["old", "-"],
    ],
  );
});

test("the exit status: only what the operator has looked at has come to its end", () => {
  const of = (change: object, more: object = {}) =>
    rolloutView(testRollout({ status: { ...STATUS, ...change }, ...more }));
  const halt = { node: "a", message: "a: odd", since: "" };
  const cases = [
    [of({ phase: "Done" }), true, 0],
    [of({ phase: "Done" }, { generation: 3 }), false, 2],
    [of({ phase: "Halted", halt }), true, 1],
    [of({ phase: "Aborted" }), true, 1],
    [of({}), false, 2],
  ] as const;
  for (const [view, end, status] of cases) assert.deepEqual([isAtEnd(view), statusOf(view)], [end, status], view.phase);
  assert.equal(whatKeeps(of({ phase: "Halted", halt })), "a: odd");
});
