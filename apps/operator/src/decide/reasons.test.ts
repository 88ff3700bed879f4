import assert from "node:assert/strict";
import { test } from "node:test";
import { DIFFERENCE_CODES } from "@ashlar/identity";
import { NODE_STATES, PHASES } from "@ashlar/rollout";
import { CLASS_QUARANTINE_REASONS } from "./class-quarantine.ts";
import { QUARANTINE_REASONS } from "./quarantine.ts";
import { OWN_REASONS, reasonOf, REASONS, type ReasonPlace } from "./reasons.ts";
import { rolloutEvents } from "./rollout-events.ts";

function at(place: ReasonPlace): readonly string[] {
  return OWN_REASONS.filter((reason) => REASONS[reason].at.includes(place)).toSorted();
}

test("a code of a difference as a reason, as Kubernetes takes it", () => {
  assert.equal(reasonOf("class-config"), "ClassConfig");
  assert.equal(reasonOf("declaration"), "Declaration");
  const own = new Set<string>(OWN_REASONS);
  for (const code of Object.keys(DIFFERENCE_CODES) as (keyof typeof DIFFERENCE_CODES)[]) {
    assert.match(reasonOf(code), /^[A-Z][A-Za-z]*$/u);
    assert.ok(!own.has(reasonOf(code)), `${code} is told from a reason of another kind`);
  }
});

test("the table has all reasons of a place, and no others", () => {
  assert.deepEqual(at("NodeProof Quarantined"), [...QUARANTINE_REASONS].toSorted());
  assert.deepEqual(at("NodeClass Quarantine"), [...CLASS_QUARANTINE_REASONS].toSorted());
  assert.deepEqual(at("Rollout Complete"), [...PHASES].toSorted());
  for (const phase of PHASES) assert.ok(at("Rollout Progressing").includes(phase), phase);
  for (const phase of PHASES) assert.ok(at("Event of a Rollout").includes(phase), phase);
  const since = "2026-11-30T12:00:00Z";
  const told = NODE_STATES.flatMap((state) => {
    const node = { name: "a", wave: "rest", state, since };
    return rolloutEvents({}, { nodes: [node] }).map(({ reason }) => reason);
  });
  for (const reason of told) assert.ok(at("Event of a Rollout").includes(reason), reason);
  assert.deepEqual(at("Event of a Rollout"), [...new Set([...told, ...PHASES])].toSorted());
});

test("each says what it means and what to do, in sentences that a table takes", () => {
  for (const reason of OWN_REASONS) {
    const { at: places, means, toDo } = REASONS[reason];
    assert.ok(places.length > 0, reason);
    for (const text of [means, toDo]) assert.match(text, /^[^|\n]+[.?]$/u, reason);
  }
});
