import assert from "node:assert/strict";
import { test } from "node:test";
import { testExtensionsStatus } from "@ashlar/protocol/test-fixtures";
import type { ComponentFailure, ExtensionsStatus } from "@ashlar/protocol";
import {
  NEW_COMPONENT_TURN,
  nextComponentStep,
  situationOf,
  type ComponentGoal,
  type ComponentState,
} from "./component-turn.ts";
import type { Facts, Step } from "./turn.ts";

const GOAL: ComponentGoal = {
  component: "kubernetes",
  kind: "sysext",
  target: "v1.33.5",
  rootHash: "5".repeat(64),
  allowDowngrade: false,
  retry: false,
  timeoutMs: 600_000,
};
const merged = (version: string, digit: string): ExtensionsStatus["merged"][number] => {
  return { kind: "sysext", name: "kubernetes", version, rootHash: digit.repeat(64), until: null };
};
const OLD = testExtensionsStatus({ merged: [merged("v1.33.2", "2")] });
const NEW = testExtensionsStatus({ merged: [merged("v1.33.5", "5")] });
const FETCHING = { ...OLD, phase: "fetching", target: { name: "kubernetes", version: "v1.33.5" } } as const;
const FAILURE: ComponentFailure = {
  name: "kubernetes",
  version: "v1.33.5",
  at: "2026-11-22T12:00:00Z",
  check: "kubelet",
  message: "no answer\nfor 10 s",
};
const FAILED = { ...OLD, failures: [{ ...FAILURE, version: "v1.33.4" }, FAILURE] };
const proven = (status: ExtensionsStatus, problem?: string): ComponentState => {
  return { ...NEW_COMPONENT_TURN, proof: { situation: situationOf(status, "kubernetes"), problem } };
};
const ORDERED: ComponentState = { ...proven(OLD), ordered: true };

function facts(status: ExtensionsStatus | undefined, times: Partial<Facts> = {}): Facts<ExtensionsStatus> {
  return { silentMs: 0, waitedMs: 0, sameBootMs: 0, ...times, status };
}

function describe(step: Step): string {
  if (step.kind === "wait") return `wait ${step.what}`;
  if (step.kind === "done") return `done ${step.how}`;
  return step.kind === "stop" ? `stop ${step.reason.code}` : step.kind;
}

type Case = readonly [
  what: string,
  expected: string,
  state: ComponentState,
  facts: Facts<ExtensionsStatus>,
  goal?: Partial<ComponentGoal>,
];

const CASES: readonly Case[] = [
  ["first it is proven as what it has", "prove", NEW_COMPONENT_TURN, facts(OLD)],
  ["then told what to take", "order", proven(OLD), facts(OLD)],
  ["followed", "wait staging", ORDERED, facts(FETCHING)],
  ["also when somebody else told it the same", "wait staging", proven(OLD), facts(FETCHING)],
  ["what it has then is proven", "prove", ORDERED, facts(NEW)],
  ["and that is all", "done updated", { ...proven(NEW), ordered: true }, facts(NEW)],
  ["it may have it already", "done already", proven(NEW), facts(NEW)],
  ["or have got it in a turn that was interrupted", "done updated", { ...proven(NEW), resumed: true }, facts(NEW)],
  ["what is not proven is not touched", "stop not-proven", proven(OLD, "x"), facts(OLD)],
  ["and not accepted", "stop not-proven", { ...proven(NEW, "x"), ordered: true }, facts(NEW)],
  ["after a restart it is proven anew", "prove", proven(OLD), facts({ ...OLD, bootId: "boot-2" })],
  [
    "it has other things to do",
    "stop busy",
    proven(OLD),
    facts({ ...FETCHING, target: { name: "zfs", version: "2" } }),
  ],
  [
    "or another version",
    "stop busy",
    proven(OLD),
    facts({ ...FETCHING, target: { name: "kubernetes", version: null } }),
  ],
  [
    "an interrupted turn is followed wherever it goes",
    "wait staging",
    { ...proven(OLD), resumed: true },
    facts({ ...FETCHING, phase: "checking", target: null }),
  ],
  ["it has none of it", "order", proven(testExtensionsStatus()), facts(testExtensionsStatus())],
  [
    "an older version is not what is meant",
    "stop downgrade",
    proven(NEW),
    facts(NEW),
    { target: "v1.33.4", rootHash: "4" },
  ],
  ["unless it is said", "order", proven(NEW), facts(NEW), { target: "v1.33.4", rootHash: "4", allowDowngrade: true }],
  ["v1.33.10 is newer", "order", proven(NEW), facts(NEW), { target: "v1.33.10", rootHash: "a" }],
  ["what has failed is not tried again", "stop failed-before", proven(OLD), facts(FAILED)],
  ["unless it is said", "order", proven(OLD), facts(FAILED), { retry: true }],
  ["a failure is told once what it has is proven", "prove", { ...ORDERED, proof: undefined }, facts(FAILED)],
  ["then it has gone back", "stop fell-back", ORDERED, facts(FAILED)],
  [
    "a version that it did not take is none to go back from",
    "stop staging-failed",
    ORDERED,
    facts({ ...OLD, failures: [{ ...FAILURE, check: "fetch" }] }),
  ],
  ["a failure of before is none of now", "stop staging-failed", { ...ORDERED, failedAt: FAILURE.at }, facts(FAILED)],
  [
    "nor is another version's",
    "stop staging-failed",
    ORDERED,
    facts({ ...FAILED, failures: FAILED.failures.slice(0, 1) }),
  ],
  ["it has not answered yet", "wait answer", NEW_COMPONENT_TURN, facts(undefined, { silentMs: 119_000 })],
  ["it does not answer", "stop no-answer", NEW_COMPONENT_TURN, facts(undefined, { silentMs: 121_000 })],
  ["it may be starting its agent", "wait answer", ORDERED, facts(undefined, { silentMs: 119_000 })],
  ["but not for long", "stop no-answer", ORDERED, facts(undefined, { silentMs: 121_000 })],
  ["when it goes on with a turn", "wait answer", { ...NEW_COMPONENT_TURN, resumed: true }, facts(undefined)],
  ["it does not get ready", "stop not-back", ORDERED, facts(FETCHING, { waitedMs: 600_001 })],
];

for (const [what, expected, state, facts_, goal] of CASES) {
  test(`${what}: ${expected}`, () => {
    assert.equal(describe(nextComponentStep({ ...GOAL, ...goal }, state, facts_)), expected);
  });
}

test("why it stopped, in the node's own words", () => {
  const reason = (state: ComponentState, status: ExtensionsStatus) => {
    const step = nextComponentStep(GOAL, state, facts(status));
    return step.kind === "stop" ? step.reason : undefined;
  };
  const { name: _, ...failure } = FAILURE;
  assert.deepEqual(reason(ORDERED, FAILED), {
    code: "fell-back",
    message: "it rolled back to v1.33.2 on its own: kubelet: no answer\nfor 10 s",
    failure: { ...failure, bootId: null },
  });
  const notProven = { ...ORDERED, proof: { situation: situationOf(OLD, "kubernetes"), problem: "PCR 13" } };
  assert.match(reason(notProven, FAILED)?.message ?? "", /; and it is not proven: PCR 13$/u);
  const lastError = { code: "unavailable", message: "no server", hint: "start it" };
  assert.deepEqual(reason(ORDERED, { ...OLD, lastError }), {
    code: "staging-failed",
    message: "no server",
    hint: "start it",
  });
  // An order of the node's own timer has succeeded since.
  assert.equal(reason({ ...ORDERED, error: lastError }, OLD)?.message, "no server");
  const setAside = [{ name: "kubernetes", version: "v1.33.5", reason: "no signature" }];
  assert.match(reason(ORDERED, { ...OLD, setAside })?.message ?? "", /set v1\.33\.5 aside: no signature$/u);
});
