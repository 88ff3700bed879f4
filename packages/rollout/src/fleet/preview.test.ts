import assert from "node:assert/strict";
import { test } from "node:test";
import { previewFleet } from "./preview.ts";
import { TEST_POLICY, testFleetNode } from "./test-policy.ts";

const NEW = { kind: "proven", release: "1.1.0" } as const;

test("who goes when, and what would keep each", () => {
  const policy = {
    ...TEST_POLICY,
    concurrency: { percent: 50 },
    canary: { nodes: 1, soakMs: 60_000 },
    waves: [
      { name: "zone-a", selector: { zone: "a" } },
      { name: "zone-b", selector: { zone: "b" } },
    ],
    approval: "each-wave",
    approvedWaves: ["canary"],
    exclude: ["n5"],
  } as const;
  const found = previewFleet(
    policy,
    [
      testFleetNode("n10", { labels: { zone: "a" } }),
      testFleetNode("n2", { labels: { zone: "a" }, cordon: "foreign" }),
      testFleetNode("n1"),
      testFleetNode("n4", { proof: NEW }),
      testFleetNode("n5"),
      testFleetNode("m1", { isControlPlane: true }),
    ],
    { nowMs: 0 },
  );
  const free = undefined;
  assert.deepEqual(found, {
    slots: 2,
    waitsFor: undefined,
    waves: [
      { name: "canary", isApproved: true, nodes: [{ name: "n1", isDone: false, blockedBy: free }] },
      {
        name: "zone-a",
        isApproved: false,
        nodes: [
          { name: "n2", isDone: false, blockedBy: "somebody else has cordoned it" },
          { name: "n10", isDone: false, blockedBy: free },
        ],
      },
      { name: "rest", isApproved: false, nodes: [{ name: "n4", isDone: true, blockedBy: free }] },
      {
        name: "control-plane",
        isApproved: false,
        nodes: [{ name: "m1", isDone: false, blockedBy: "it is of the control plane, and goes alone: n2 is away" }],
      },
    ],
    skipped: ["n5"],
  });
});

test("what keeps all: a pause, a mismatch, a window that is not open", () => {
  const nodes = [testFleetNode("a")];
  assert.equal(previewFleet({ ...TEST_POLICY, paused: true }, nodes, { nowMs: 0 }).waitsFor, "the rollout is paused");
  const odd = testFleetNode("a", { proof: { kind: "mismatch", message: "odd" } });
  assert.match(
    previewFleet(TEST_POLICY, [odd], { nowMs: 0 }).waitsFor ?? "",
    /^a: it has proved to be something else/u,
  );
  const refusal = "the kubelet would be too new";
  assert.equal(previewFleet({ ...TEST_POLICY, refusal }, nodes, { nowMs: 0 }).waitsFor, refusal);
  const window = { days: ["mon"], start: "02:00", durationMinutes: 120, timeZone: "UTC" } as const;
  const { waitsFor, waves } = previewFleet({ ...TEST_POLICY, windows: [window] }, nodes, { nowMs: 0 });
  assert.match(waitsFor ?? "", /^it is outside of the windows, the next begins at 1970-01-05T02:00:00Z/u);
  assert.match(waves[0]?.nodes[0]?.blockedBy ?? "", /^it is outside/u);
});
