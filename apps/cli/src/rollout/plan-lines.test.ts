import assert from "node:assert/strict";
import { test } from "node:test";
import type { RolloutPlan } from "@ashlar/operator/rollout-plan";
import { isKept, planDocument, planLines } from "./plan-lines.ts";

const FREE: RolloutPlan = {
  rollout: "first",
  class: "worker",
  release: "1.1.0",
  slots: 2,
  waitsFor: undefined,
  operatorSays: undefined,
  waves: [{ name: "rest", isApproved: true, nodes: [{ name: "w-1", isDone: false, blockedBy: undefined }] }],
  skipped: [],
};
const KEPT: RolloutPlan = {
  ...FREE,
  waitsFor: "it is outside of the windows",
  operatorSays: "gate errors: \u001B[31mred",
  waves: [
    { name: "canary", isApproved: true, nodes: [{ name: "w-1", isDone: true, blockedBy: undefined }] },
    { name: "rest", isApproved: false, nodes: [{ name: "w-10", isDone: false, blockedBy: "its Node is not Ready" }] },
  ],
  skipped: ["w-2"],
};

test("a line for each node, then what keeps all; nothing that others write reaches the terminal as it is", () => {
  assert.deepEqual(planLines(FREE), [
    "WAVE  NODE  STATE  KEPT BY",
    "rest  w-1   to go  -",
    "to 1.1.0; away at once: 2 at most",
  ]);
  const lines = planLines(KEPT);
  assert.deepEqual(lines.slice(0, -1), [
    "WAVE    NODE  STATE         KEPT BY",
    "canary  w-1   done          -",
    "rest    w-10  not approved  its Node is not Ready",
    "-       w-2   left out      -",
    "to 1.1.0; away at once: 2 at most",
    "now it would wait: it is outside of the windows",
  ]);
  const last = lines.at(-1) ?? "";
  assert.match(last, /^the operator says: gate errors: .*red$/u);
  assert.ok(!last.includes("\u001B"));
});

test("whether something keeps it", () => {
  assert.equal(isKept(FREE), false);
  for (const each of [
    { waitsFor: "a window" },
    { operatorSays: "a gate" },
    { waves: KEPT.waves },
    { waves: FREE.waves.map((wave) => ({ ...wave, isApproved: false })) },
  ]) {
    assert.equal(isKept({ ...FREE, ...each }), true, JSON.stringify(each));
  }
});

test("the document says null where nothing is known", () => {
  assert.deepEqual(planDocument(FREE), {
    schema: "ashlar.rollout-plan/v1",
    rollout: "first",
    class: "worker",
    release: "1.1.0",
    slots: 2,
    skipped: [],
    waitsFor: null,
    operatorSays: null,
    waves: [{ name: "rest", isApproved: true, nodes: [{ name: "w-1", isDone: false, blockedBy: null }] }],
  });
});
