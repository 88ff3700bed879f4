import assert from "node:assert/strict";
import { test } from "node:test";
import type { RolloutNode, RolloutStatus } from "@ashlar/kube";
import { rolloutEvents } from "./rollout-events.ts";

const SINCE = "2026-11-30T10:00:00.000Z";

function status(phase: "Rolling" | "Halted" | "Done", change: Partial<RolloutNode> = {}): RolloutStatus {
  return { phase, nodes: [{ name: "a", wave: "rest", state: "Waiting", since: SINCE, ...change }] };
}

function told(before: RolloutStatus, now: RolloutStatus): readonly string[] {
  return rolloutEvents(before, now).map(({ isWarning, reason, note }) => `${isWarning ? "!" : ""}${reason} ${note}`);
}

test("nodes that get somewhere are told of, with the reason; what only goes on is not", () => {
  const rolling = status("Rolling", { state: "Staged" });
  assert.deepEqual(told(rolling, status("Rolling", { state: "Draining" })), ["Draining a"]);
  assert.deepEqual(told(rolling, status("Rolling", { state: "Staged", message: "others go first" })), []);
  assert.deepEqual(told(status("Rolling", { state: "Rebooting" }), status("Rolling", { state: "Proving" })), []);
  assert.deepEqual(
    told(status("Rolling", { state: "Proving" }), status("Rolling", { state: "Held", message: "it is not proven" })),
    ["!Held a: it is not proven"],
  );
});

test("a change of the phase is told once, and a halt with its reason", () => {
  assert.deepEqual(told({}, status("Rolling")), ["Rolling it is Rolling"]);
  assert.deepEqual(told(status("Rolling"), status("Done")), ["Done it is Done"]);
  const halted = { ...status("Halted"), halt: { node: "a", message: "a: it fell back", since: SINCE } };
  assert.deepEqual(told(status("Rolling"), halted), ["!Halted a: it fell back"]);
  assert.deepEqual(told(halted, halted), []);
});
