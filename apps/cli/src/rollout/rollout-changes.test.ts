import assert from "node:assert/strict";
import { test } from "node:test";
import { aborting, approving, pausing, resuming, type DecideChange } from "./rollout-changes.ts";
import { testRollout } from "./test-rollout.ts";

const STATUS = testRollout().status ?? {};
const waiting = testRollout({ status: { ...STATUS, phase: "Waiting", wave: "rest" } });
const done = testRollout({ status: { ...STATUS, phase: "Done" } });
const halted = testRollout({
  status: { ...STATUS, phase: "Halted", halt: { node: "worker-2", message: "worker-2: odd", since: "" } },
});

test("what is changed, and what is so already", () => {
  const cases: readonly (readonly [what: string, found: ReturnType<DecideChange>, spec: unknown, says: string])[] = [
    ["the wave that waits", approving(undefined)(waiting), { approvedWaves: ["zone-a", "rest"] }, "wave rest approved"],
    [
      "beforehand",
      approving("control-plane")(waiting),
      { approvedWaves: ["zone-a", "control-plane"] },
      "wave control-plane approved",
    ],
    ["twice", approving("zone-a")(waiting), undefined, "wave zone-a was approved already"],
    ["pause", pausing(waiting), { paused: true }, "paused"],
    ["pause twice", pausing(testRollout({}, { paused: true })), undefined, "was paused already"],
    ["resume", resuming(false)(testRollout({}, { paused: true })), { paused: false }, "resumed"],
    ["resume what goes on", resuming(false)(waiting), undefined, "was not paused"],
    [
      "a halt that a retry has ended",
      resuming(false)({ ...halted, spec: testRollout({}, { paused: true, attempt: 2 }).spec }),
      { paused: false },
      "resumed",
    ],
    ["retry", resuming(true)(halted), { paused: false, attempt: 2 }, "resumed, attempt 2"],
    ["abort", aborting(halted), { aborted: true }, "aborted"],
    ["abort twice", aborting(testRollout({}, { aborted: true })), undefined, "was aborted already"],
  ];
  for (const [what, found, spec, says] of cases) assert.deepEqual([found.spec, found.says], [spec, says], what);
});

test("what makes no sense is refused, in words that say what does", () => {
  const unseen = testRollout({ ...waiting, generation: 3 });
  const cases: readonly (readonly [change: () => unknown, says: RegExp])[] = [
    [() => approving(undefined)(testRollout({}, { approval: "none" })), /expected approval: each-wave, found none/u],
    [() => approving("zone-c")(waiting), /expected one of its waves, zone-a, rest, control-plane, found zone-c/u],
    [() => approving(undefined)(testRollout()), /expected a wave that waits .*, found zone-a, which is approved/u],
    [() => approving(undefined)(unseen), /was not looked at yet/u],
    [() => approving(undefined)(testRollout({ status: {} })), /found none that goes on/u],
    [() => resuming(false)(halted), /it has halted: worker-2: odd/u],
    [() => pausing(done), /expected a Rollout that goes on, found that it is Done/u],
    [() => resuming(true)(testRollout({}, { aborted: true })), /found that it was aborted/u],
    [() => pausing(testRollout({ isDeleting: true })), /found that it is deleted/u],
    [() => aborting(done), /it is Done: nothing is left that could be aborted/u],
    [
      () => pausing(testRollout({ spec: undefined, fault: "spec.class: no" })),
      /none that this version understands: spec\.class: no/u,
    ],
  ];
  for (const [change, says] of cases) assert.throws(change, { code: "invalid", message: says });
});
