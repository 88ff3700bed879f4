import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition, NodeProofStatus, Quarantine } from "@ashlar/kube";
import { classEvents, classQuarantine, findingOf, isNewNode } from "./class-quarantine.ts";
import type { QuarantineDecision } from "./quarantine.ts";

const SINCE = "2026-11-30T10:00:00.500Z";
const ENFORCE: Quarantine = { mode: "enforce", maxPercent: 10, alsoUnknown: false };

function condition(type: string, status: Condition["status"], reason: string): Condition {
  return { type, status, reason, message: "", lastTransitionTime: SINCE };
}

function proof(status: Condition["status"], nodeUid?: string): NodeProofStatus {
  const conditions = [condition("Proven", status, "Because")];
  return { conditions, ...(nodeUid === undefined ? {} : { nodeUid }) };
}

test("what was found counts when it is about this Node, and about what its class says now", () => {
  const node = { uid: "1" };
  for (const [status, isCurrent, kind] of [
    [undefined, true, "unknown"],
    [{}, true, "unknown"],
    [proof("True", "1"), false, "proven"],
    [proof("True", "2"), true, "unsettled"],
    [proof("True"), true, "unsettled"],
    [proof("False", "1"), true, "mismatch"],
    [proof("False", "1"), false, "unsettled"],
    [proof("Unknown", "1"), true, "unknown"],
  ] as const) {
    assert.equal(findingOf(status, node, isCurrent).kind, kind, JSON.stringify([status, isCurrent]));
  }
});

test("a node is new when it has come since this is enforced and was not proven since", () => {
  const enforced = { conditions: [condition("Quarantine", "True", "Enforced")] };
  const warned = { conditions: [condition("Quarantine", "False", "WarnOnly")] };
  const since = { uid: "1", createdAt: "2026-11-30T10:00:00Z" };
  const before = { uid: "1", createdAt: "2026-11-30T09:59:59Z" };
  assert.equal(isNewNode(since, undefined, ENFORCE, enforced), true);
  assert.equal(isNewNode(since, proof("True", "2"), ENFORCE, enforced), true);
  assert.equal(isNewNode(since, proof("False", "1"), ENFORCE, enforced), false);
  assert.equal(isNewNode(before, undefined, ENFORCE, enforced), false);
  // It is enforced from when that is written.
  assert.equal(isNewNode(since, undefined, ENFORCE, warned), false);
  assert.equal(isNewNode(since, undefined, ENFORCE, {}), false);
  assert.equal(isNewNode(before, undefined, { ...ENFORCE, mode: "warn" }, warned), true);
});

function decision(reason: "WarnOnly" | "LimitReached" | "Mismatch"): QuarantineDecision {
  return { effects: [], said: { status: "False", reason, message: "" } };
}

test("what is said of a class, and what of it is worth an Event", () => {
  const of = (policy: Quarantine, own: readonly QuarantineDecision[], refusal?: string): string => {
    const said = classQuarantine(policy, own, 20, refusal);
    return said === undefined ? "nothing" : `${said.status} ${said.reason}: ${said.message}`;
  };
  const limited = [decision("LimitReached"), decision("Mismatch"), decision("LimitReached")];
  assert.equal(of({ ...ENFORCE, mode: "none" }, limited, "no"), "nothing");
  assert.equal(
    of({ ...ENFORCE, mode: "warn" }, [decision("WarnOnly")], "no"),
    "False WarnOnly: 1 node would be tainted",
  );
  assert.equal(of(ENFORCE, [decision("Mismatch")]), "True Enforced: nodes that are not proven are tainted");
  assert.match(of(ENFORCE, limited), /^True LimitReached: 2 nodes would be tainted, .* 2 of 20: is what the class/u);
  assert.match(
    of(ENFORCE, limited, "not allowed"),
    /^True NotAllowed: not allowed; deploy\/operator\/quarantine-rights/u,
  );
  const status = (reason: string) => ({ conditions: [condition("Quarantine", "True", reason)] });
  const events = (before: string, now: string): readonly string[] =>
    classEvents(status(before), status(now)).map(({ isWarning, reason }) => `${isWarning} ${reason}`);
  assert.deepEqual(events("Enforced", "LimitReached"), ["true LimitReached"]);
  assert.deepEqual(events("LimitReached", "LimitReached"), []);
  assert.deepEqual(events("LimitReached", "Enforced"), ["false Enforced"]);
  assert.deepEqual(classEvents({}, status("Enforced")), []);
});
