import assert from "node:assert/strict";
import { test } from "node:test";
import { beforeOrder, beforeReboot } from "./before-reboot.ts";
import type { Member } from "./member.ts";
import { nextRejoinStep, type RejoinFacts } from "./rejoin.ts";

const ours: Member = { name: "node-1", isReady: true, readiness: "KubeletNotReady", cordon: "ours", bootId: "b" };
const stopped = { kind: "stop", reason: { code: "fell-back", message: "it rolled back" } } as const;
const updated: RejoinFacts = {
  end: { kind: "done", how: "updated" },
  bootId: "b",
  isProven: true,
  hasRestarted: true,
  member: ours,
  waitedMs: 0,
  timeoutMs: 1000,
};

function kindOf(change: Partial<RejoinFacts>): string {
  const step = nextRejoinStep({ ...updated, ...change });
  return step.kind === "end" && step.end.kind === "stop" ? `end: ${step.end.reason.code}` : step.kind;
}

test("a node takes pods again when it is proven, and Ready in the boot that was proven", () => {
  const cases: readonly (readonly [string, Partial<RejoinFacts>, string])[] = [
    ["Ready", {}, "uncordon"],
    // For some 50 s after a restart the Node is still Ready as the boot that is over.
    ["Ready as an earlier boot", { member: { ...ours, bootId: "a" } }, "wait"],
    ["not Ready", { member: { ...ours, isReady: false } }, "wait"],
    ["no answer", { member: undefined }, "wait"],
    ["not Ready in time", { member: { ...ours, isReady: false }, waitedMs: 1001 }, "end: not-ready"],
    ["no answer in time", { member: undefined, waitedMs: 1001 }, "end: not-ready"],
    ["gone, until its kubelet makes it anew", { member: "gone" }, "wait"],
    ["gone for good", { member: "gone", waitedMs: 1001 }, "end: not-ready"],
    ["uncordoned", { member: { ...ours, cordon: "none" } }, "end"],
    ["cordoned by somebody else", { member: { ...ours, cordon: "foreign" } }, "end"],
    ["only staged", { end: { kind: "done", how: "staged" } }, "end"],
    ["fell back to what is proven", { end: stopped }, "uncordon"],
    [
      "fell back, and is not Ready in time",
      { end: stopped, member: { ...ours, isReady: false }, waitedMs: 1001 },
      "end: fell-back",
    ],
    ["fell back to something else", { end: stopped, isProven: false }, "end: fell-back"],
    ["stopped before it restarted", { end: stopped, hasRestarted: false, isProven: false }, "uncordon"],
    ["the same, gone", { end: stopped, hasRestarted: false, member: "gone" }, "end: fell-back"],
    [
      "the same, cordoned by somebody else",
      { end: stopped, hasRestarted: false, member: { ...ours, cordon: "foreign" } },
      "end: fell-back",
    ],
  ];
  for (const [what, change, expected] of cases) assert.equal(kindOf(change), expected, what);
});

test("a node that stays cordoned is said to be, and why", () => {
  const noteOf = (change: Partial<RejoinFacts>): string | undefined => {
    const step = nextRejoinStep({ ...updated, ...change });
    return step.kind === "end" ? step.note : step.kind;
  };
  assert.equal(noteOf({ end: stopped, isProven: false }), "it stays cordoned: what it runs is not proven");
  assert.match(
    noteOf({ member: { ...ours, isReady: false }, waitedMs: 1001 }) ?? "",
    /cordoned: its Node is not Ready/u,
  );
  assert.equal(noteOf({ member: { ...ours, cordon: "foreign" } }), "it stays cordoned, as somebody else had left it");
});

test("no member is told anything while its pods may not go", () => {
  const order = { kind: "order" } as const;
  assert.deepEqual(beforeOrder(order, undefined), { kind: "foresee-drain" });
  assert.deepEqual(beforeOrder(order, { problem: undefined }), order);
  assert.equal(beforeOrder(order, { problem: "shop/web-1" }).kind, "stop");
  assert.deepEqual(beforeOrder({ kind: "reboot" }, { problem: "shop/web-1" }), { kind: "reboot" });
});

test("no member restarts that has not been drained in the boot that it is in", () => {
  const reboot = { kind: "reboot" } as const;
  assert.deepEqual(beforeReboot(reboot, undefined, "b"), { kind: "drain" });
  assert.deepEqual(beforeReboot(reboot, { bootId: "a", problem: undefined }, "b"), { kind: "drain" });
  assert.deepEqual(beforeReboot(reboot, { bootId: "b", problem: undefined }, "b"), reboot);
  assert.equal(beforeReboot(reboot, { bootId: "b", problem: "shop/web-1" }, "b").kind, "stop");
  assert.deepEqual(beforeReboot({ kind: "prove" }, undefined, "b"), { kind: "prove" });
});
