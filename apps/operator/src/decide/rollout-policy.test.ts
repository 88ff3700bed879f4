import assert from "node:assert/strict";
import { test } from "node:test";
import { drainPolicyOf, policyFault, policyOf } from "./rollout-policy.ts";
import { TEST_SPEC } from "./test-rollout.ts";

test("seconds are milliseconds, and what is left open stays so", () => {
  const policy = policyOf(TEST_SPEC);
  assert.deepEqual([policy.target, policy.concurrency, policy.attempt], ["1.1.0", { nodes: 1 }, 1]);
  assert.deepEqual(policy.limits, {
    stagingMs: 3_600_000,
    beforeRebootMs: 0,
    drainMs: 900_000,
    bootMs: 900_000,
    afterRebootMs: 0,
  });
  assert.deepEqual(policy.drains, { attempts: 3, retryMs: 600_000 });
  assert.ok(!("canary" in policy) && !("spreadKey" in policy));
  assert.equal(drainPolicyOf(TEST_SPEC).graceSeconds, undefined);
});

test("a share, a canary, and more nodes that are left out", () => {
  const canary = { nodes: 2, soakSeconds: 60 };
  const policy = policyOf({ ...TEST_SPEC, concurrency: { percent: 10 }, canary, exclude: ["a"] }, { leftOut: ["b"] });
  assert.deepEqual(policy.concurrency, { percent: 10 });
  assert.deepEqual(policy.canary, { nodes: 2, soakMs: 60_000 });
  assert.deepEqual(policy.exclude, ["a", "b"]);
});

test("what the class says of checks, and why nobody may go", () => {
  const hook = { label: "before", annotations: ["org/a"], timeoutSeconds: 60 };
  const rollout = { beforeReboot: hook, afterReboot: { ...hook, timeoutSeconds: 90 } };
  const { limits, refusal } = policyOf(TEST_SPEC, { rollout, refusal: "too new" });
  assert.deepEqual([limits.beforeRebootMs, limits.afterRebootMs, refusal], [60_000, 90_000, "too new"]);
});

test("a time zone that nobody knows is named", () => {
  const window = { days: ["mon"], start: "02:00", durationMinutes: 60 } as const;
  const at = (timeZone: string): string | undefined =>
    policyFault({ ...TEST_SPEC, windows: [{ ...window, timeZone }] });
  assert.equal(at("Europe/Prague"), undefined);
  assert.equal(at("Europe/Progue"), "spec.windows: expected a time zone such as Europe/Prague, found Europe/Progue");
});
