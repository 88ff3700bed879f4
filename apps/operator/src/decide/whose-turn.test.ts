import assert from "node:assert/strict";
import { test } from "node:test";
import type { RolloutObject, RolloutSpec, RolloutStatus } from "@ashlar/kube";
import { TEST_SPEC } from "./test-rollout.ts";
import { isComplete, whoWaits } from "./whose-turn.ts";

function rollout(name: string, status: RolloutStatus | undefined, change: Partial<RolloutObject> = {}): RolloutObject {
  const reference = { name, uid: name, resourceVersion: "1", generation: 1, createdAt: "2026-11-30T10:00:00Z" };
  return { ...reference, isDeleting: false, finalizers: [], spec: TEST_SPEC, status, fault: undefined, ...change };
}

const of = (change: Partial<RolloutSpec>): { readonly spec: RolloutSpec } => ({ spec: { ...TEST_SPEC, ...change } });
const nodes = (state: "Draining" | "Staging" | "Staged" | "Held"): RolloutStatus => ({
  nodes: [{ name: "a", wave: "rest", state, since: "2026-11-30T10:00:00Z" }],
});
const DONE: RolloutStatus = { phase: "Done", observedGeneration: 1 };
const LATER = { createdAt: "2026-11-30T11:00:00Z" };

test("of one class one Rollout goes on: who has nodes on their way, else the oldest that is neither complete nor paused", () => {
  const cases: readonly (readonly [what: string, rollouts: readonly RolloutObject[], waits: object])[] = [
    ["the oldest", [rollout("new", {}, LATER), rollout("old", {})], { new: "old" }],
    ["of the same age by name", [rollout("b", {}), rollout("a", {})], { b: "a" }],
    ["one of another class", [rollout("a", {}), rollout("b", {}, of({ class: "other" }))], {}],
    ["a complete one is history", [rollout("a", DONE), rollout("b", {})], {}],
    ["until its spec changes", [rollout("a", DONE, { generation: 2 }), rollout("b", {})], { b: "a" }],
    ["a paused one gives way", [rollout("a", {}, of({ paused: true })), rollout("b", {})], { a: "b" }],
    [
      "but not while a node is away",
      [rollout("a", nodes("Draining"), of({ paused: true })), rollout("b", {})],
      { b: "a" },
    ],
    ["nor while one is held", [rollout("a", {}), rollout("b", nodes("Held"))], { a: "b" }],
    ["nor while one fetches", [rollout("a", {}), rollout("b", nodes("Staging"))], { a: "b" }],
    ["a staged node is not on its way", [rollout("a", {}), rollout("b", nodes("Staged"))], { b: "a" }],
    ["what cannot be read may hide all", [rollout("a", {}), rollout("b", undefined)], { a: "b" }],
    ["of whatever class", [rollout("a", {}), rollout("b", undefined, { spec: undefined })], { a: "b" }],
    ["a halted one keeps the others", [rollout("a", { phase: "Halted" }), rollout("b", {})], { b: "a" }],
    ["an aborted one gives way", [rollout("a", {}, of({ aborted: true })), rollout("b", {})], {}],
    [
      "but not while a node is away",
      [rollout("a", nodes("Draining"), of({ aborted: true })), rollout("b", {})],
      { b: "a" },
    ],
    ["one that is deleted ends by itself", [rollout("a", {}), rollout("b", {}, { isDeleting: true })], {}],
  ];
  for (const [what, rollouts, waits] of cases) assert.deepEqual(Object.fromEntries(whoWaits(rollouts)), waits, what);
});

test("what is deleted is not complete: it has a finalizer to take off", () => {
  assert.equal(isComplete(rollout("a", DONE)), true);
  assert.equal(isComplete(rollout("a", DONE, { isDeleting: true })), false);
  assert.equal(isComplete(rollout("a", { ...DONE, phase: "Aborted" })), true);
});
