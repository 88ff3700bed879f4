import assert from "node:assert/strict";
import { test } from "node:test";
import type { MarkedNode, NodeClassObject, NodeProofObject, RolloutObject, RolloutSpec } from "@ashlar/kube";
import { planRollout } from "./rollout-plan.ts";
import { TEST_SPEC } from "./test-rollout.ts";

const CLASS: NodeClassObject = {
  name: "worker",
  uid: "u",
  resourceVersion: "1",
  generation: 1,
  status: {},
  spec: {
    selector: { class: "worker" },
    config: { butane: "" },
    release: "1.0.0",
    releases: { manifests: "m" },
    trust: { acceptExpiredEk: false },
    proof: { intervalSeconds: 600, freshnessSeconds: 3600 },
    quarantine: { mode: "none", maxPercent: 10, alsoUnknown: false },
  },
};

function rollout(change: Partial<RolloutSpec> = {}, more: Partial<RolloutObject> = {}): RolloutObject {
  return {
    name: "first",
    uid: "u",
    resourceVersion: "1",
    generation: 2,
    createdAt: "",
    isDeleting: false,
    finalizers: [],
    spec: { ...TEST_SPEC, ...change },
    status: { observedGeneration: 2, message: "gate errors: closed" },
    fault: undefined,
    ...more,
  };
}

function node(name: string, change: Partial<MarkedNode> = {}): MarkedNode {
  return {
    name,
    uid: name,
    resourceVersion: "1",
    createdAt: "",
    labels: { class: "worker" },
    bootId: "b",
    internalAddress: undefined,
    isReady: true,
    cordon: "none",
    taints: [],
    marks: {},
    markedSince: undefined,
    ...change,
  };
}

function proof(name: string, release: string): NodeProofObject {
  const proven = { type: "Proven", status: "True", reason: "Proven", message: "", lastTransitionTime: "" } as const;
  const status = { bootId: "b", release, level: "proven", conditions: [proven] } as const;
  return { name, uid: name, resourceVersion: "1", status };
}

const SOURCES = {
  classes: [CLASS],
  nodes: [
    node("w-1"),
    node("w-2"),
    node("w-3", { cordon: "foreign" }),
    node("w-4"),
    node("other", { labels: { class: "other" } }),
  ],
  proofs: [proof("w-1", "1.1.0"), proof("w-2", "1.0.0"), proof("w-3", "1.0.0"), proof("other", "1.0.0")],
};

test("the nodes of its class in their order, and what would keep each", () => {
  const plan = planRollout(rollout({ exclude: ["w-4"] }), SOURCES, 0);
  assert.deepEqual(
    plan.waves.map((wave) => [
      wave.name,
      ...wave.nodes.map(({ name, isDone, blockedBy = "" }) => [name, isDone, blockedBy]),
    ]),
    [
      [
        "rest",
        ["w-1", true, ""],
        ["w-2", false, "1 may be away at once, and w-3 is"],
        ["w-3", false, "somebody else has cordoned it"],
      ],
    ],
  );
  assert.deepEqual([plan.skipped, plan.slots, plan.waitsFor], [["w-4"], 1, undefined]);
  assert.equal(plan.operatorSays, "gate errors: closed");
  const [wave] = planRollout(rollout(), SOURCES, 0).waves;
  assert.equal(wave?.nodes.at(-1)?.blockedBy, "it is not proven: it was never asked");
});

test("what the operator said of another generation is not said of this one", () => {
  const status = { observedGeneration: 1, message: "old" };
  assert.equal(planRollout(rollout({}, { status }), SOURCES, 0).operatorSays, undefined);
});

test("a Rollout that cannot be carried out is no plan", () => {
  const plan = (object: RolloutObject, sources: typeof SOURCES = SOURCES): unknown => planRollout(object, sources, 0);
  assert.throws(() => plan(rollout({}, { spec: undefined, fault: "spec.class: wrong" })), { code: "invalid" });
  const window = { days: ["mon"], start: "02:00", durationMinutes: 60, timeZone: "Nowhere" } as const;
  assert.throws(() => plan(rollout({ windows: [window] })), /expected a time zone/u);
  assert.throws(() => plan(rollout({ class: "none" })), { code: "not-found" });
});
