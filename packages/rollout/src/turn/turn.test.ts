import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReleaseFailure, UpdateStatus } from "@ashlar/protocol";
import { testUpdateStatus } from "@ashlar/protocol/test-fixtures";
import { TEST_GOAL } from "./test-goal.ts";
import { NEW_TURN, nextStep, STOP_CODES, type Facts, type Goal, type Step, type TurnState } from "./turn.ts";

const GOAL: Goal = { ...TEST_GOAL, bootTimeoutMs: 600_000 };
const OLD: UpdateStatus = testUpdateStatus();
const STAGED: UpdateStatus = { ...OLD, staged: "1.1.0", rebootNeeded: true };
const NEW: UpdateStatus = { ...OLD, version: "1.1.0", bootId: "boot-2" };
const FAILURE: ReleaseFailure = {
  version: "1.1.0",
  bootId: "boot-2",
  at: "2026-11-22T12:00:00Z",
  check: "containerd",
  message: "no answer",
};
const proven = (bootId: string): { proof: TurnState["proof"] } => ({ proof: { bootId, problem: undefined } });
const OLD_PROVEN: TurnState = { ...NEW_TURN, ...proven("boot-1") };
const ORDERED: TurnState = { ...OLD_PROVEN, ordered: true };
const READY: TurnState = { ...ORDERED, nextBoot: { bootId: "boot-1", problem: undefined } };
const REBOOTED: TurnState = { ...READY, rebootedFrom: "boot-1" };
const BACK: TurnState = { ...REBOOTED, ...proven("boot-5") };

function facts(status: UpdateStatus | undefined, times: Partial<Facts> = {}): Facts {
  return { status, silentMs: 0, waitedMs: 0, sameBootMs: 0, ...times };
}

function describe(step: Step): string {
  if (step.kind === "wait") return `wait ${step.what}`;
  if (step.kind === "done") return `done ${step.how}`;
  return step.kind === "stop" ? `stop ${step.reason.code}` : step.kind;
}

const ON_TARGET: TurnState = { ...NEW_TURN, ...proven("boot-2") };
const UNDONE: UpdateStatus = { ...NEW, staged: "1.0.0", rebootNeeded: true };

type Case = readonly [what: string, expected: string, state: TurnState, facts: Facts, goal?: Partial<Goal>];

const WAY: readonly Case[] = [
  ["first it is proven as what it is", "prove", NEW_TURN, facts(OLD)],
  ["then told what to stage", "order", OLD_PROVEN, facts(OLD)],
  ["followed", "wait staging", ORDERED, facts({ ...OLD, phase: "fetching", target: "1.1.0" })],
  [
    "also when somebody else told it the same",
    "wait staging",
    OLD_PROVEN,
    facts({ ...OLD, phase: "installing", target: "1.1.0" }),
  ],
  ["what boots next is proven", "prove-next-boot", ORDERED, facts(STAGED)],
  ["also when it was staged before", "prove-next-boot", OLD_PROVEN, facts(STAGED)],
  ["it restarts", "reboot", READY, facts(STAGED)],
  ["or not", "done staged", READY, facts(STAGED), { reboot: false }],
  ["it is shutting down", "wait restart", REBOOTED, facts(STAGED)],
  ["it is away", "wait restart", REBOOTED, facts(undefined, { waitedMs: 599_000 })],
  ["it is on trial", "wait health", REBOOTED, facts({ ...NEW, trial: true })],
  ["one try has failed, another follows", "wait health", REBOOTED, facts({ ...NEW, bootId: "boot-3", trial: true })],
  ["what runs the release boots it next, too", "order", ON_TARGET, facts(UNDONE)],
  ["also when it was to go back", "order", ON_TARGET, facts(UNDONE), { order: "rollback" }],
  [
    "told so, it is followed",
    "wait staging",
    { ...ON_TARGET, ordered: true },
    facts({ ...UNDONE, phase: "installing" }),
  ],
  ["it must have done it", "stop staging-failed", { ...ON_TARGET, ordered: true }, facts(UNDONE)],
  ["it is healthy", "prove", REBOOTED, facts(NEW)],
  ["the proof of another boot does not count", "prove", { ...REBOOTED, ...proven("boot-3") }, facts(NEW)],
  ["it is the new one", "done updated", { ...REBOOTED, ...proven("boot-2") }, facts(NEW)],
  ["a node that has it is only proven", "prove", NEW_TURN, facts(NEW)],
  ["and passed over", "done already", { ...NEW_TURN, ...proven("boot-2") }, facts(NEW)],
  ["a node that is on trial has to end that first", "wait health", NEW_TURN, facts({ ...OLD, trial: true })],
  ["an interrupted turn may find the node away", "wait restart", { ...NEW_TURN, resumed: true }, facts(undefined)],
  ["and ends as one", "done updated", { ...NEW_TURN, resumed: true, ...proven("boot-2") }, facts(NEW)],
  [
    "silence in between is borne for a while",
    "wait answer",
    ORDERED,
    facts(undefined, { silentMs: 119_000, waitedMs: 900_000 }),
  ],
  [
    "a failed release is tried again when told to",
    "order",
    OLD_PROVEN,
    facts({ ...OLD, failures: [FAILURE] }),
    { retry: true },
  ],
  ["an older one is staged when told to", "order", OLD_PROVEN, facts(OLD), { target: "0.9.0", allowDowngrade: true }],
  [
    "a rollback goes to an older one, also one that failed",
    "order",
    { ...OLD_PROVEN, ...proven("boot-2") },
    facts({ ...NEW, failures: [{ ...FAILURE, version: "1.0.0" }] }),
    { target: "1.0.0", order: "rollback" },
  ],
  ["a node that fell back is proven, too", "prove", REBOOTED, facts({ ...OLD, bootId: "boot-5", failures: [FAILURE] })],
  [
    "the record of a failure comes a little later",
    "wait answer",
    REBOOTED,
    facts({ ...OLD, bootId: "boot-5" }, { sameBootMs: 59_000 }),
  ],
];

const STOPS: readonly Case[] = [
  ["no answer at all", "stop no-answer", NEW_TURN, facts(undefined, { silentMs: 121_000 })],
  ["no answer any more", "stop no-answer", ORDERED, facts(undefined, { silentMs: 121_000 })],
  [
    "an interrupted turn whose node stays away",
    "stop no-answer",
    { ...NEW_TURN, resumed: true },
    facts(undefined, { waitedMs: 601_000, silentMs: 601_000 }),
  ],
  [
    "it is something else",
    "stop not-proven",
    { ...NEW_TURN, proof: { bootId: "boot-1", problem: "PCR 11" } },
    facts(OLD),
  ],
  [
    "after the restart it is something else",
    "stop not-proven",
    { ...REBOOTED, proof: { bootId: "boot-2", problem: "PCR 4" } },
    facts(NEW),
  ],
  [
    "something else would boot",
    "stop next-boot-not-proven",
    { ...READY, nextBoot: { bootId: "boot-1", problem: "ESP" } },
    facts(STAGED),
  ],
  ["it is busy with something else", "stop busy", OLD_PROVEN, facts({ ...OLD, phase: "fetching", target: "1.2.0" })],
  ["it is busy and does not say with what", "stop busy", OLD_PROVEN, facts({ ...OLD, phase: "checking" })],
  ["older than what runs", "stop downgrade", OLD_PROVEN, facts(OLD), { target: "1.0.0~rc1" }],
  [
    "older and staged by somebody else",
    "stop downgrade",
    OLD_PROVEN,
    facts({ ...OLD, staged: "0.9.0" }),
    { target: "0.9.0" },
  ],
  ["it failed here before", "stop failed-before", OLD_PROVEN, facts({ ...OLD, failures: [FAILURE] })],
  [
    "it could not be fetched",
    "stop staging-failed",
    ORDERED,
    facts({ ...OLD, lastError: { code: "unavailable", message: "no server" } }),
  ],
  ["it ended for no reason", "stop staging-failed", ORDERED, facts(OLD)],
  ["it fell back and says why", "stop fell-back", BACK, facts({ ...OLD, bootId: "boot-5", failures: [FAILURE] })],
  [
    "it fell back and never says why",
    "stop fell-back",
    BACK,
    facts({ ...OLD, bootId: "boot-5" }, { sameBootMs: 61_000 }),
  ],
  ["it does not come back", "stop not-back", REBOOTED, facts(undefined, { waitedMs: 601_000 })],
  ["it does not restart", "stop not-back", REBOOTED, facts(STAGED, { waitedMs: 601_000 })],
  ["it does not become healthy", "stop not-back", REBOOTED, facts({ ...NEW, trial: true }, { waitedMs: 601_000 })],
];

for (const [name, cases] of [
  ["the way of an update", WAY],
  ["every reason to stop", STOPS],
] as const) {
  test(name, () => {
    for (const [what, expected, state, seen, goal] of cases) {
      assert.equal(describe(nextStep({ ...GOAL, ...goal }, state, seen)), expected, what);
    }
  });
}

test("falling back below the channel's minimum is named", () => {
  const fellBack = { ...OLD, bootId: "boot-5", failures: [FAILURE] };
  const reasonOf = (minimumVersion: string | null): string => {
    const step = nextStep(GOAL, BACK, facts({ ...fellBack, minimumVersion }));
    return step.kind === "stop" ? step.reason.message : step.kind;
  };
  assert.match(
    reasonOf("1.1.0"),
    /^it rolled back to 1\.0\.0 on its own, below 1\.1\.0, the oldest that its channel allows: /u,
  );
  for (const minimum of [null, "1.0.0"]) assert.match(reasonOf(minimum), /^it rolled back to 1\.0\.0 on its own: /u);
});

test("no reason to stop goes untried, but for the node's own and those of a member's drain and return", () => {
  const tried = new Set(STOPS.map(([, expected]) => expected.replace("stop ", "")));
  assert.deepEqual(
    STOP_CODES.filter((code) => !tried.has(code)),
    ["refused", "not-drained", "not-ready"],
  );
});

test("a reason names what the node says", () => {
  const reasonOf = (state: TurnState, seen: Facts): string => {
    const step = nextStep(GOAL, state, seen);
    assert.ok(step.kind === "stop");
    return `${step.reason.message} [${step.reason.failure?.check ?? ""}] ${step.reason.hint ?? ""}`;
  };
  const back = { ...OLD, bootId: "boot-5", failures: [FAILURE] };
  assert.equal(reasonOf(BACK, facts(back)), "it rolled back to 1.0.0 on its own: containerd: no answer [containerd] ");
  const lost = { ...BACK, proof: { bootId: "boot-5", problem: "PCR 4" } };
  assert.match(reasonOf(lost, facts(back)), /; and it is not proven: PCR 4/u);
  const again = { ...OLD, failures: [FAILURE] };
  assert.match(reasonOf(OLD_PROVEN, facts(again)), /^1\.1\.0 was given up on it: .*--retry/u);
  const checks = [{ name: "kubelet", passed: false, durationMs: 5, message: "not ready" }];
  const sick = { ...NEW, trial: true, health: { healthy: false, checks } };
  assert.match(
    reasonOf(REBOOTED, facts(sick, { waitedMs: 601_000 })),
    /^1\.1\.0 has not been found healthy \(kubelet: not ready\)/u,
  );
  const error = { code: "unavailable", message: "no space", hint: "make room" };
  assert.equal(reasonOf(ORDERED, facts({ ...OLD, lastError: error })), "no space [] make room");
});
