import assert from "node:assert/strict";
import { test } from "node:test";
import { describeDrainStop, NEW_DRAIN, nextDrainStep, type DrainFacts, type DrainState } from "./drain.ts";
import type { EvictionAnswer, Member } from "./member.ts";
import { testPod } from "./test-pod.ts";

const member: Member = { name: "node-1", isReady: true, readiness: "", cordon: "ours", bootId: "a" };
const policy = { timeoutMs: 60_000, graceSeconds: undefined, deleteEmptyDirs: false, force: false };

function facts(change: Partial<DrainFacts> = {}): DrainFacts {
  return { member, pods: [testPod("web-1")], elapsedMs: 0, ...change };
}

function after(answer: EvictionAnswer, atMs = 0): DrainState {
  return { ...NEW_DRAIN, asked: new Map([["uid-web-1", { answer, atMs }]]) };
}

const uncordoned = { ...member, cordon: "none" } as const;
const budget: EvictionAnswer = { kind: "budget", message: "needs 2 healthy pods and has 2", retryAfterMs: undefined };
const refused: EvictionAnswer = { kind: "refused", message: "more than one PodDisruptionBudget" };

test("before a node is cordoned every eviction is rehearsed, and one that can never be stops the drain", () => {
  assert.equal(nextDrainStep(policy, NEW_DRAIN, facts({ member: uncordoned })).kind, "rehearse");
  const rehearsed = (answer: EvictionAnswer): DrainState => ({
    ...NEW_DRAIN,
    rehearsed: new Map([["uid-web-1", answer]]),
  });
  assert.equal(nextDrainStep(policy, rehearsed({ kind: "accepted" }), facts({ member: uncordoned })).kind, "cordon");
  // A budget that is used up now may not be later.
  assert.equal(nextDrainStep(policy, rehearsed(budget), facts({ member: uncordoned })).kind, "cordon");
  const step = nextDrainStep(policy, rehearsed(refused), facts({ member: uncordoned }));
  assert.ok(step.kind === "stop" && step.code === "refused-evictions");
});

test("pods that only somebody may give up stop the drain before anything is evicted or cordoned", () => {
  const step = nextDrainStep(
    policy,
    NEW_DRAIN,
    facts({ member: uncordoned, pods: [testPod("web-1"), testPod("own", { controller: undefined })] }),
  );
  assert.ok(step.kind === "stop" && step.code === "refused-pods");
  assert.match(describeDrainStop(step), /shop\/own: nobody makes it anew, since it has no controller: --force-drain/u);
  assert.doesNotMatch(describeDrainStop(step), /web-1/u);
});

test("a drain is done when nothing is left that has to go, on a cordoned node, and in no other way", () => {
  const daemon = testPod("proxy", { controller: { kind: "DaemonSet", name: "proxy" } });
  assert.equal(
    nextDrainStep(policy, NEW_DRAIN, facts({ pods: [daemon, testPod("etcd", { isMirror: true })] })).kind,
    "done",
  );
  assert.equal(nextDrainStep(policy, NEW_DRAIN, facts({ pods: [], member: uncordoned })).kind, "cordon");
  assert.equal(
    nextDrainStep(policy, NEW_DRAIN, facts({ pods: [testPod("web-1", { isTerminating: true })] })).kind,
    "wait",
  );
  // All evicted, and still there.
  assert.equal(nextDrainStep(policy, after({ kind: "accepted" }), facts()).kind, "wait");
  // Somebody, for example the node itself, has taken the cordon back.
  assert.equal(nextDrainStep(policy, after({ kind: "accepted" }), facts({ member: uncordoned })).kind, "cordon");
});

test("an eviction is asked for again when the last answer says so", () => {
  const cases: readonly (readonly [EvictionAnswer, number])[] = [
    [budget, 5000],
    [{ ...budget, retryAfterMs: 10_000 }, 10_000],
    [{ kind: "busy", message: "", retryAfterMs: 1000 }, 1000],
    [{ kind: "busy", message: "", retryAfterMs: 86_400_000 }, 60_000],
    [{ kind: "gone" }, 5000],
    [{ kind: "accepted" }, 30_000],
  ];
  for (const [answer, dueMs] of cases) {
    const long = { ...policy, timeoutMs: 1_000_000 };
    const kindAt = (elapsedMs: number): string => nextDrainStep(long, after(answer), facts({ elapsedMs })).kind;
    assert.deepEqual([kindAt(dueMs - 1), kindAt(dueMs)], ["wait", "evict"], answer.kind);
  }
});

test("a drain that takes too long names each pod that is left, and its budgets", () => {
  const state = { ...after(budget), budgets: new Map([["uid-web-1", ["web"]]]) };
  const pods = [testPod("web-2", { isTerminating: true }), testPod("web-1")];
  const step = nextDrainStep(policy, state, facts({ pods, elapsedMs: policy.timeoutMs }));
  assert.ok(step.kind === "stop" && step.code === "timeout");
  assert.equal(
    describeDrainStop(step),
    "it could not be drained in time: shop/web-1: PodDisruptionBudget web: needs 2 healthy pods and has 2; " +
      "shop/web-2: it was told to end, and has not ended yet",
  );
});

test("a node that takes its own cordon back again and again does not keep the drain from ending", () => {
  const step = nextDrainStep(policy, NEW_DRAIN, facts({ member: uncordoned, elapsedMs: policy.timeoutMs }));
  assert.equal(step.kind, "stop");
});

test("a pod with certain labels keeps its node from being cordoned until it has ended, or the time is up", () => {
  const blockedBy = [{ job: "backup", kind: "full" }, { app: "batch" }];
  const keeps = (change: Parameters<typeof testPod>[1], more: Partial<DrainFacts> = {}): string => {
    const pods = [testPod("web-1"), testPod("own", change)];
    const step = nextDrainStep({ ...policy, blockedBy }, NEW_DRAIN, facts({ member: uncordoned, pods, ...more }));
    if (step.kind === "stop") return describeDrainStop(step);
    return step.kind === "wait" ? step.blocked.map(({ name }) => `waits for ${name}`).join() : step.kind;
  };
  assert.equal(keeps({ labels: { app: "batch" } }), "waits for own");
  assert.equal(keeps({ labels: { job: "backup", kind: "full", other: "x" } }), "waits for own");
  assert.equal(
    keeps({ labels: { app: "batch" }, controller: { kind: "DaemonSet", name: "batch" } }),
    "waits for own",
    "also of a DaemonSet",
  );
  assert.equal(keeps({ labels: { job: "backup" } }), "rehearse");
  assert.equal(keeps({ labels: { app: "batch" }, hasEnded: true }), "rehearse");
  assert.equal(keeps({ labels: { app: "batch" } }, { member }), "evict", "what is cordoned is drained");
  assert.equal(
    keeps({ labels: { app: "batch" } }, { elapsedMs: policy.timeoutMs }),
    "it could not be drained in time: shop/own: its labels are among those of drain.blockedBy",
  );
});
