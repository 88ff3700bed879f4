import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_VERDICT, type NodeVerdict } from "@ashlar/identity";
import type { NodeProofStatus } from "@ashlar/kube";
import { marksOf } from "./node-marks.ts";
import { nextProofStatus, type ProofFacts } from "./proof-status.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const START = Date.parse("2026-11-29T10:00:00.000Z");
const IDENTITY = "a".repeat(64);
const PROVEN: NodeVerdict = {
  ...EMPTY_VERDICT,
  level: "proven",
  release: "1.0.0",
  identity: IDENTITY,
  differences: [],
};
const OTHER_CONFIG = {
  code: "class-config",
  what: "class config",
  expected: "one",
  found: "\u001b[2Janother",
} as const;
const MISMATCH: NodeVerdict = { ...EMPTY_VERDICT, level: "mismatch", differences: [OTHER_CONFIG] };

/** Both clocks go on together, unless a test says otherwise. */
function at(ms: number): { readonly wallMs: number; readonly monotonicMs: number } {
  return { wallMs: START + ms, monotonicMs: ms };
}

function facts(previous: NodeProofStatus, change: Partial<ProofFacts> = {}): ProofFacts {
  return {
    previous,
    className: "worker",
    fault: undefined,
    asked: undefined,
    provenAtMs: undefined,
    bootId: "boot-1",
    nodeUid: "uid-1",
    freshnessMs: HOUR,
    quarantine: "keep",
    ...change,
  };
}

function answered(verdict: NodeVerdict, atMs: number, bootId: string = "boot-1"): Partial<ProofFacts> {
  const outcome = { kind: "judged", verdict, newPin: undefined } as const;
  const asked = { outcome, bootId, className: "worker", monotonicMs: atMs };
  return { asked, bootId, ...(verdict.level === "proven" ? { provenAtMs: atMs } : {}) };
}

function silent(atMs: number, provenAtMs?: number): Partial<ProofFacts> {
  const outcome = { kind: "silent", why: `no answer at ${atMs}` } as const;
  return { asked: { outcome, bootId: "boot-1", className: "worker", monotonicMs: atMs }, provenAtMs };
}

function proven({ conditions = [] }: NodeProofStatus): string {
  const found = conditions.find(({ type }) => type === "Proven");
  return `${found?.status} ${found?.reason}`;
}

const first = nextProofStatus(facts({}, answered(PROVEN, 0)), at(0));

test("a proof that only is confirmed is written again before half of the freshness is over, and not sooner", () => {
  assert.equal(proven(first), "True Proven");
  assert.equal(first.lastProved, new Date(START).toISOString());
  for (const ms of [SECOND, MINUTE, 29 * MINUTE]) {
    assert.equal(nextProofStatus(facts(first, answered(PROVEN, ms)), at(ms)), first);
  }
  const later = nextProofStatus(facts(first, answered(PROVEN, 30 * MINUTE)), at(30 * MINUTE));
  assert.deepEqual(later, { ...first, lastProved: new Date(START + 30 * MINUTE).toISOString() });
  const brief = { ...answered(PROVEN, 59 * SECOND), freshnessMs: MINUTE };
  assert.equal(nextProofStatus(facts(first, brief), at(59 * SECOND)), first, "at most once a minute");
});

test("silence leaves a proof as it is until it is too old, and each text of an error is not written anew", () => {
  const once = nextProofStatus(facts(first, silent(10 * MINUTE, 0)), at(10 * MINUTE));
  assert.equal(proven(once), "True Proven");
  assert.equal(nextProofStatus(facts(once, silent(20 * MINUTE, 0)), at(20 * MINUTE)), once);
  const late = nextProofStatus(facts(once, silent(61 * MINUTE, 0)), at(61 * MINUTE));
  assert.equal(proven(late), "Unknown ProofTooOld");
  assert.equal(nextProofStatus(facts(late, silent(90 * MINUTE, 0)), at(90 * MINUTE)), late);
});

test("after a restart of the operator the written time counts; one from the future counts for nothing", () => {
  assert.equal(nextProofStatus(facts(first), at(30 * MINUTE)), first);
  assert.equal(proven(nextProofStatus(facts(first), at(61 * MINUTE))), "Unknown ProofTooOld");
  assert.equal(proven(nextProofStatus(facts(first), at(-MINUTE))), "Unknown ProofTooOld");
});

test("a clock that jumps makes no proof older or younger while the operator runs", () => {
  for (const jump of [-2 * HOUR, 2 * HOUR]) {
    const clock = { wallMs: START + jump + MINUTE, monotonicMs: MINUTE };
    assert.equal(proven(nextProofStatus(facts(first, silent(MINUTE, 0)), clock)), "True Proven", String(jump));
  }
});

test("another boot than the one that was proven is not proven", () => {
  const other = { ...silent(MINUTE, 0), bootId: "boot-2" };
  assert.equal(proven(nextProofStatus(facts(first, other), at(MINUTE))), "Unknown Restarted");
  const old = { ...answered(PROVEN, 0), bootId: "boot-2" };
  assert.equal(proven(nextProofStatus(facts(first, old), at(MINUTE))), "Unknown Restarted");
});

test("a node cannot make a mismatch better by saying nothing", () => {
  const wrong = nextProofStatus(facts(first, answered(MISMATCH, MINUTE)), at(MINUTE));
  assert.equal(proven(wrong), "False ClassConfig");
  assert.deepEqual([wrong.release, wrong.identity], [undefined, undefined]);
  const later = nextProofStatus(facts(wrong, silent(5 * HOUR, 0)), at(5 * HOUR));
  assert.equal(proven(later), "False ClassConfig");
  assert.equal(proven(nextProofStatus(facts(later, answered(PROVEN, 5 * HOUR)), at(5 * HOUR))), "True Proven");
});

test("what it boots next counts when it is something else", () => {
  const nextBoot = {
    level: "mismatch",
    release: null,
    fallback: null,
    notes: [],
    differences: [OTHER_CONFIG],
  } as const;
  const status = nextProofStatus(facts({}, answered({ ...PROVEN, nextBoot }, 0)), at(0));
  assert.equal(proven(status), "False ClassConfig");
  assert.match(status.conditions?.find(({ type }) => type === "Proven")?.message ?? "", /^next boot, class config: /u);
});

test("a level that is only reported is not proven", () => {
  const verdict: NodeVerdict = { ...PROVEN, level: "reported", differences: [{ ...OTHER_CONFIG, code: "ek-chain" }] };
  assert.equal(proven(nextProofStatus(facts({}, answered(verdict, 0)), at(0))), "False EkChain");
});

test("a fault of the class leaves nobody proven; the pin and the time stay", () => {
  const fault = { reason: "ClassNotReady", message: "expected the Secret x" } as const;
  const status = nextProofStatus(facts(first, { ...answered(PROVEN, MINUTE), fault }), at(MINUTE));
  assert.equal(proven(status), "Unknown ClassNotReady");
  assert.equal(status.lastProved, first.lastProved);
  assert.equal(nextProofStatus(facts(status, { fault }), at(HOUR)), status);
});

test("as which Node it was proven is written with a proof alone, and stays when it is something else", () => {
  assert.equal(first.nodeUid, "uid-1");
  const wrong = nextProofStatus(facts(first, { ...answered(MISMATCH, MINUTE), nodeUid: "uid-2" }), at(MINUTE));
  assert.equal(wrong.nodeUid, "uid-1");
  const again = nextProofStatus(facts(wrong, { ...answered(PROVEN, HOUR), nodeUid: "uid-2" }), at(HOUR));
  assert.equal(again.nodeUid, "uid-2");
});

test("the quarantine has its condition while its class asks for one", () => {
  const said = { status: "True", reason: "Mismatch", message: "it has the taint" } as const;
  const found = (status: NodeProofStatus): string | undefined =>
    status.conditions?.find(({ type }) => type === "Quarantined")?.reason;
  const tainted = nextProofStatus(facts(first, { quarantine: said }), at(0));
  assert.equal(found(tainted), "Mismatch");
  assert.equal(nextProofStatus(facts(tainted), at(0)), tainted);
  const without = nextProofStatus(facts(tainted, { quarantine: undefined }), at(0));
  assert.deepEqual(without, first);
});

test("texts that a node has made are one line that the API server keeps as it is", () => {
  const long = `${"x".repeat(1023)}\u{1F600}`;
  const found = nextProofStatus(
    facts({}, answered({ ...MISMATCH, differences: [{ ...OTHER_CONFIG, found: long }, OTHER_CONFIG] }, 0)),
    at(0),
  );
  const [one, two] = found.differences ?? [];
  assert.equal(one?.found, `${"x".repeat(1023)}\uFFFD`);
  assert.equal(two?.found, String.raw`\u001b[2Janother`);
});

test("on a Node release and identity stand only while it is proven", () => {
  assert.deepEqual(marksOf(first), {
    condition: { status: "True", reason: "Proven", message: "runs 1.0.0" },
    release: "1.0.0",
    identity: IDENTITY,
  });
  const old = marksOf(nextProofStatus(facts(first), at(2 * HOUR)));
  assert.deepEqual([old?.condition.status, old?.release, old?.identity], ["Unknown", undefined, undefined]);
  assert.equal(marksOf({}), undefined);
});
