import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fleet, NodeRecord } from "./fleet.ts";
import { NODE_STATES, STATES, type NodeState } from "./node-state.ts";
import { afterEvent, type NodeEnd, type NodeEvent } from "./transition.ts";

function fleetOf(state: NodeState, change: Partial<NodeRecord> = {}): Fleet {
  return { attempt: 1, records: [{ name: "a", wave: "rest", state, sinceMs: 1, message: "", drains: 0, ...change }] };
}

/** The state after an event, `-` when it cannot follow. */
function after(state: NodeState, event: NodeEvent, change: Partial<NodeRecord> = {}): string {
  const [record] = afterEvent(fleetOf(state, change), "a", event, 2)?.records ?? [];
  if (record === undefined) return "-";
  return record.returnsTo === undefined ? record.state : `${record.state} to ${record.returnsTo}`;
}

const ended = (how: NodeEnd): NodeEvent => ({ kind: "ended", how, message: "why" });
const EVENTS: Readonly<Record<string, NodeEvent>> = {
  staged: { kind: "staged" },
  drained: { kind: "drained", bootId: "boot-1" },
  draining: { kind: "reached", state: "Draining" },
  proving: { kind: "reached", state: "Proving" },
  rejoining: { kind: "reached", state: "Rejoining" },
  "after reboot": { kind: "reached", state: "AfterReboot" },
  uncordoning: { kind: "reached", state: "Uncordoning" },
  done: ended("Done"),
  "fell back": ended("FellBack"),
  held: ended("Held"),
  blocked: ended("Blocked"),
  failed: ended("Failed"),
  "given back": { kind: "given-back" },
};

/** All that may follow. What is not here may not. */
const TABLE: Readonly<Partial<Record<NodeState, Readonly<Record<string, string>>>>> = {
  Staging: { staged: "Staged", failed: "Failed" },
  BeforeReboot: {
    draining: "Draining",
    done: "Done",
    blocked: "Returning to Blocked",
    failed: "Returning to Failed",
  },
  Draining: {
    draining: "Draining",
    drained: "Rebooting",
    done: "Done",
    blocked: "Returning to Blocked",
    failed: "Returning to Failed",
  },
  Rebooting: {
    proving: "Proving",
    held: "Held",
    blocked: "Returning to Blocked",
    failed: "Returning to Failed",
  },
  Proving: {
    proving: "Proving",
    rejoining: "Rejoining",
    "after reboot": "AfterReboot",
    uncordoning: "Uncordoning",
    done: "Done",
    "fell back": "FellBack",
    held: "Held",
  },
  Rejoining: {
    proving: "Rejoining",
    rejoining: "Rejoining",
    "after reboot": "AfterReboot",
    uncordoning: "Uncordoning",
    done: "Done",
    "fell back": "FellBack",
    held: "Held",
  },
  AfterReboot: {
    proving: "AfterReboot",
    rejoining: "AfterReboot",
    "after reboot": "AfterReboot",
    uncordoning: "Uncordoning",
    done: "Done",
    "fell back": "FellBack",
    held: "Held",
  },
  Uncordoning: {
    proving: "Uncordoning",
    rejoining: "Uncordoning",
    "after reboot": "Uncordoning",
    uncordoning: "Uncordoning",
    done: "Done",
    "fell back": "FellBack",
    held: "Held",
  },
  Held: {
    proving: "Held",
    rejoining: "Held",
    "after reboot": "Held",
    uncordoning: "Held",
    done: "Done",
    "fell back": "FellBack",
    held: "Held",
    blocked: "Returning to Blocked",
    failed: "Returning to Failed",
  },
  Returning: { "given back": "Waiting" },
};

test("each event in each state", () => {
  for (const state of NODE_STATES) {
    for (const [name, event] of Object.entries(EVENTS)) {
      assert.equal(after(state, event), TABLE[state]?.[name] ?? "-", `${name} in ${state}`);
    }
  }
});

test("a node is told to restart once for each boot, written down before, and never after a halt", () => {
  const drained: NodeEvent = { kind: "drained", bootId: "boot-1" };
  const [record] = afterEvent(fleetOf("Draining"), "a", drained, 2)?.records ?? [];
  assert.deepEqual([record?.state, record?.restartedFrom, record?.sinceMs], ["Rebooting", "boot-1", 2]);
  // The operator was killed before the order, or it was not heard: the same boot may be told again, another one never.
  assert.equal(after("Rebooting", drained, { restartedFrom: "boot-1" }), "Rebooting");
  assert.equal(after("Rebooting", { ...drained, bootId: "boot-2" }, { restartedFrom: "boot-1" }), "-");
  assert.equal(after("Draining", drained, { restartedFrom: "boot-0" }), "-");
  const halt = { node: "b", message: "", sinceMs: 0 };
  for (const state of ["Draining", "Rebooting"] as const) {
    const fleet = { ...fleetOf(state, state === "Rebooting" ? { restartedFrom: "boot-1" } : {}), halt };
    assert.equal(afterEvent(fleet, "a", drained, 2), undefined, state);
  }
});

test("what was not restarted gets back what it had, and becomes what it was to become", () => {
  for (const to of ["Waiting", "Blocked", "Failed"] as const) {
    assert.equal(after("Returning", { kind: "given-back" }, { returnsTo: to }), to);
  }
  const [blocked] =
    afterEvent(fleetOf("Rebooting", { restartedFrom: "boot-1" }), "a", ended("Blocked"), 2)?.records ?? [];
  assert.deepEqual([blocked?.drains, blocked?.restartedFrom, blocked?.message], [1, undefined, "why"]);
});

test("nothing follows for a node that is not part of it, and an event that changes nothing changes nothing", () => {
  assert.equal(afterEvent(fleetOf("Staging"), "b", { kind: "staged" }, 2), undefined);
  const fleet = fleetOf("Rejoining");
  assert.equal(afterEvent(fleet, "a", { kind: "reached", state: "Proving" }, 2), fleet);
});

test("the states: out is what is cordoned or restarts, and each way out of it leads back or to what is said", () => {
  const out = NODE_STATES.filter((state) => STATES[state].isOut);
  const turn = ["BeforeReboot", "Draining", "Rebooting", "Proving", "Rejoining", "AfterReboot", "Uncordoning"];
  assert.deepEqual(out, [...turn, "Returning", "Held"]);
  for (const state of NODE_STATES) {
    // There is one way to a restart.
    assert.equal(STATES[state].next.includes("Rebooting"), state === "Draining", state);
    assert.equal(STATES[state].next.includes("Draining"), state === "Staged" || state === "BeforeReboot", state);
    assert.ok(STATES[state].next.includes("Gone") || state === "Gone", state);
  }
});

test("what a node waits for is said while something goes on for it, and changes nothing else", () => {
  const waits: NodeEvent = { kind: "waits", message: "a budget" };
  const goingOn = NODE_STATES.filter((state) => after(state, waits) !== "-");
  const turn = ["BeforeReboot", "Draining", "Rebooting", "Proving", "Rejoining", "AfterReboot", "Uncordoning"];
  assert.deepEqual(goingOn, ["Staging", ...turn]);
  const [record] = afterEvent(fleetOf("Draining"), "a", waits, 2)?.records ?? [];
  assert.deepEqual([record?.state, record?.sinceMs, record?.message], ["Draining", 1, "a budget"]);
});
