import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnTaint, Quarantine, TaintEffect } from "@ashlar/kube";
import fc from "fast-check";
import {
  decideQuarantine,
  mayLoseWork,
  type Finding,
  type QuarantineDecision,
  type QuarantineNode,
} from "./quarantine.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const HOUR = 3_600_000;
const agoText = (ms: number): string => new Date(NOW - ms).toISOString();
const ENFORCE: Quarantine = { mode: "enforce", maxPercent: 10, alsoUnknown: false };
const TOLD: Quarantine = { ...ENFORCE, alsoUnknown: true };
const EVICT: Quarantine = { ...ENFORCE, evictAfterSeconds: 3600 };

const mismatch = (agoMs: number = 0): Finding => ({ kind: "mismatch", message: "another class", sinceMs: NOW - agoMs });
const proven: Finding = { kind: "proven" };
const unknown: Finding = { kind: "unknown", message: "silent" };
const unsettled: Finding = { kind: "unsettled" };
const one = (agoMs: number = 0): readonly OwnTaint[] => [{ effect: "NoSchedule", addedAt: agoText(agoMs) }];
const both: readonly OwnTaint[] = [...one(), { effect: "NoExecute", addedAt: agoText(0) }];

function node(change: Partial<QuarantineNode> = {}): QuarantineNode {
  return { name: "a", policy: ENFORCE, isNew: false, finding: proven, taints: [], ...change };
}

function decided(change: Partial<QuarantineNode>, total: number = 10): string {
  const decision = decideQuarantine([node(change)], total, NOW).get("a");
  return text(decision);
}

function text(decision: QuarantineDecision | undefined): string {
  if (decision === undefined) return "nothing";
  const { effects, said } = decision;
  const taints = effects === "keep" ? "keep" : effects.map((effect) => effect.slice(2)).join("+") || "none";
  return `${taints}, ${typeof said === "object" ? `${said.status} ${said.reason}` : (said ?? "no condition")}`;
}

test("what becomes of one node", () => {
  for (const [change, expected] of [
    // A class that does not ask for it: what was put is taken back.
    [{ policy: { ...ENFORCE, mode: "none" }, finding: mismatch() }, "none, no condition"],
    [{ policy: { ...ENFORCE, mode: "none" }, finding: mismatch(), taints: both }, "none, keep"],
    // A node that comes.
    [{ isNew: true, finding: unknown }, "Schedule, keep"],
    [{ isNew: true, finding: unknown, taints: one() }, "Schedule, True NotProvenYet"],
    [{ isNew: true, finding: mismatch(), taints: one() }, "Schedule, True NotProvenYet"],
    [{ isNew: true, finding: unsettled, taints: one() }, "Schedule, True NotProvenYet"],
    [{ taints: one() }, "none, keep"],
    [{}, "none, False Admitted"],
    // One that has had work.
    [{ finding: mismatch() }, "Schedule, keep"],
    [{ finding: mismatch(), taints: one() }, "Schedule, True Mismatch"],
    [{ finding: unknown }, "none, False Admitted"],
    [{ finding: unknown, policy: TOLD, taints: one() }, "Schedule, True NothingKnown"],
    // Only a proof takes back what a mismatch has brought.
    [{ finding: unknown, taints: one() }, "keep, keep"],
    [{ finding: unsettled, taints: one() }, "keep, keep"],
    [{ finding: unsettled }, "keep, keep"],
    // Its pods leave after a time as a mismatch, and with the taint, whichever is shorter.
    [{ finding: mismatch(HOUR), taints: one(HOUR), policy: ENFORCE }, "Schedule, True Mismatch"],
    [{ finding: mismatch(HOUR), taints: one(HOUR), policy: EVICT }, "Schedule+Execute, keep"],
    [{ finding: mismatch(HOUR - 1), taints: one(HOUR), policy: EVICT }, "Schedule, True Mismatch"],
    [{ finding: mismatch(9 * HOUR), taints: one(HOUR - 1), policy: EVICT }, "Schedule, True Mismatch"],
    [{ finding: mismatch(), taints: both, policy: EVICT }, "Schedule+Execute, True MustLeave"],
    [{ finding: mismatch(), taints: both }, "Schedule+Execute, True MustLeave"],
    [
      { finding: unknown, taints: one(9 * HOUR), policy: { ...EVICT, alsoUnknown: true } },
      "Schedule, True NothingKnown",
    ],
    [{ isNew: true, finding: mismatch(HOUR), taints: one(HOUR), policy: EVICT }, "Schedule+Execute, keep"],
    [
      { finding: mismatch(HOUR), taints: [{ effect: "NoSchedule", addedAt: undefined }], policy: EVICT },
      "Schedule+Execute, keep",
    ],
    [{ finding: proven, taints: both }, "none, keep"],
    // Nothing but words.
    [{ policy: { ...EVICT, mode: "warn" }, finding: mismatch(9 * HOUR) }, "none, False WarnOnly"],
    [{ policy: { ...ENFORCE, mode: "warn" }, finding: unknown, isNew: true }, "none, False WarnOnly"],
    [{ policy: { ...ENFORCE, mode: "warn" }, finding: unknown }, "none, False Admitted"],
    [{ policy: { ...TOLD, mode: "warn" }, finding: unknown }, "none, False WarnOnly"],
    [{ policy: { ...ENFORCE, mode: "warn" }, finding: unsettled, taints: one() }, "none, keep"],
    [{ policy: { ...ENFORCE, mode: "warn" } }, "none, False Admitted"],
  ] as const) {
    assert.equal(decided(change), expected, JSON.stringify(change));
  }
});

test("a wrong declaration does not empty the cluster: a share loses work, the first that were found, and the others say why not", () => {
  const all = Array.from({ length: 20 }, (_, index) =>
    node({ name: `n${index}`, finding: mismatch(1000 - index), policy: EVICT }),
  );
  const found = decideQuarantine(all, 20, NOW);
  assert.deepEqual(
    all.map(({ name }) => text(found.get(name))).filter((each) => each !== "none, False LimitReached"),
    ["Schedule, keep", "Schedule, keep"],
  );
  assert.equal(text(found.get("n1")), "Schedule, keep");
  assert.match(messageOf(found.get("n2")), /as many have lost work as may, 2 of 20: another class$/u);
  // Of those that have lost it nobody has to leave.
  const later = all.map((each, index) =>
    index < 2 ? { ...each, finding: mismatch(9 * HOUR), taints: one(9 * HOUR) } : each,
  );
  assert.equal(text(decideQuarantine(later, 20, NOW).get("n0")), "Schedule, True Mismatch");
  const alone = [...later.slice(0, 2), ...all.slice(2).map(({ name }) => node({ name, policy: EVICT }))];
  assert.equal(text(decideQuarantine(alone, 20, NOW).get("n0")), "Schedule+Execute, keep");
});

test("those that have never had work cost nothing; those of other classes count", () => {
  const fresh = Array.from({ length: 5 }, (_, index) =>
    node({ name: `new${index}`, isNew: true, finding: unknown, taints: one() }),
  );
  const other = node({ name: "other", finding: unknown, taints: one(), policy: { ...ENFORCE, maxPercent: 50 } });
  assert.equal(text(decideQuarantine([...fresh, node({ finding: mismatch() })], 10, NOW).get("a")), "Schedule, keep");
  const found = decideQuarantine([...fresh, other, node({ finding: mismatch() })], 10, NOW);
  assert.equal(text(found.get("a")), "none, False LimitReached");
});

test("one at least may lose work, and never all", () => {
  for (const [total, maxPercent, expected] of [
    [1, 100, 0],
    [2, 10, 1],
    [3, 100, 2],
    [19, 10, 1],
    [20, 10, 2],
    [5000, 1, 50],
  ] as const) {
    assert.equal(mayLoseWork({ ...ENFORCE, maxPercent }, total), expected, `${maxPercent} % of ${total}`);
  }
});

test("whatever is found in whatever order: never more than the share loses work, and nothing but a proof gives it back", () => {
  const findings = fc.array(fc.constantFrom(mismatch(), mismatch(HOUR), proven, unknown, unsettled), {
    minLength: 12,
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.array(findings, { maxLength: 12 }), fc.constantFrom(ENFORCE, TOLD, EVICT), (rounds, policy) => {
      let nodes = Array.from({ length: 12 }, (_, index) => node({ name: `n${index}`, policy }));
      const most = mayLoseWork(policy, 12);
      for (const round of rounds) {
        const seen = nodes.map((each, index) => ({ ...each, finding: round[index] ?? proven }));
        const decisions = decideQuarantine(seen, 12, NOW);
        nodes = seen.map((each) => ({ ...each, taints: taintsAfter(each, decisions.get(each.name)) }));
        assert.ok(nodes.filter(({ taints }) => taints.length > 0).length <= most, "more than the share");
        for (const [index, { taints, finding }] of nodes.entries()) {
          const was = seen[index]?.taints.length ?? 0;
          if (taints.length < was) assert.equal(finding.kind, "proven");
        }
      }
    }),
  );
});

function taintsAfter({ taints }: QuarantineNode, decision: QuarantineDecision | undefined): readonly OwnTaint[] {
  if (decision === undefined || decision.effects === "keep") return taints;
  const made = (effect: TaintEffect): OwnTaint => ({ effect, addedAt: agoText(2 * HOUR) });
  return decision.effects.map((effect) => taints.find((own) => own.effect === effect) ?? made(effect));
}

function messageOf(decision: QuarantineDecision | undefined): string {
  return typeof decision?.said === "object" ? decision.said.message : "";
}
