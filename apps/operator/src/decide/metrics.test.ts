import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition, MarkedNode, NodeClassObject, NodeProofStatus, RolloutObject } from "@ashlar/kube";
import { metricsText } from "@ashlar/watch/metric";
import { OPERATOR_METRICS, type OperatorFacts } from "./metrics.ts";
import { TEST_SPEC } from "./test-rollout.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const TIME = "2026-11-30T11:00:00Z";

function condition(type: string, status: Condition["status"], reason: string): Condition {
  return { type, status, reason, message: "", lastTransitionTime: TIME };
}

function nodeNamed(name: string): MarkedNode {
  const about = { name, uid: name, resourceVersion: "1", createdAt: TIME, labels: {}, bootId: "1" };
  return {
    ...about,
    internalAddress: "",
    isReady: true,
    cordon: "none",
    taints: [],
    marks: {},
    markedSince: undefined,
  };
}

const CLASS: NodeClassObject = {
  name: "worker",
  uid: "worker",
  resourceVersion: "1",
  generation: 1,
  spec: undefined,
  status: { conditions: [condition("Ready", "True", "Read"), condition("Quarantine", "True", "LimitReached")] },
};

function rolloutNamed(name: string, status: RolloutObject["status"]): RolloutObject {
  const about = { name, uid: name, resourceVersion: "1", generation: 1, createdAt: TIME };
  return { ...about, isDeleting: false, finalizers: [], spec: TEST_SPEC, status, fault: undefined };
}

function factsOf(change: Partial<OperatorFacts> = {}): OperatorFacts {
  return {
    isLeading: true,
    counters: { asked: { answered: 7, silent: 1 }, askedSeconds: 2.5 },
    usage: { cpuSeconds: 1, residentBytes: 2, startedAt: 3 },
    lastAskedMs: NOW - 1000,
    nodes: new Map(),
    proofs: new Map(),
    classes: [CLASS],
    expires: new Map([["worker", NOW + 1000]]),
    rollouts: [],
    held: new Map(),
    nowMs: NOW,
    ...change,
  };
}

const PROVEN: NodeProofStatus = {
  lastProved: TIME,
  level: "proven",
  conditions: [condition("Proven", "True", "Proven")],
};
const NEXT: NodeProofStatus = {
  level: "proven",
  nextBoot: { level: "mismatch" },
  differences: [{ about: "next-boot", code: "release", what: "", expected: "", found: "" }],
  conditions: [condition("Proven", "False", "Release"), condition("Quarantined", "True", "Mismatch")],
};
const OLD: NodeProofStatus = { level: "proven", conditions: [condition("Proven", "Unknown", "ProofTooOld")] };

function fleet(size: number): OperatorFacts {
  const names = Array.from({ length: size }, (_, index) => `node-${index}`);
  const statuses = [NEXT, OLD, {}];
  const proofs = names.map((name, index) => {
    return [name, { name, uid: name, resourceVersion: "1", status: statuses[index] ?? PROVEN }] as const;
  });
  const rolling = names.map((name, index) => {
    const state = index === 0 ? ("Draining" as const) : ("Waiting" as const);
    return { name, wave: "rest", state, since: TIME };
  });
  return factsOf({
    nodes: new Map(names.map((name) => [name, nodeNamed(name)])),
    proofs: new Map(proofs),
    held: new Map([...names, "gone"].map((name) => [name, "worker"])),
    rollouts: [
      rolloutNamed("now", { phase: "Rolling", nodes: rolling }),
      rolloutNamed("old", { phase: "Done", observedGeneration: 1, nodes: rolling }),
    ],
  });
}

test("what is said of nodes, classes and Rollouts, in the text format of Prometheus", () => {
  const text = metricsText(OPERATOR_METRICS, fleet(10));
  for (const line of [
    "# TYPE ashlar_operator_leading gauge",
    "ashlar_operator_leading 1",
    `ashlar_operator_last_question_timestamp_seconds ${NOW / 1000 - 1}`,
    'ashlar_nodes{class="worker",level="proven"} 7',
    'ashlar_nodes{class="worker",level="mismatch"} 1',
    'ashlar_nodes{class="worker",level="unknown"} 2',
    'ashlar_nodes{class="worker",level="reported"} 0',
    'ashlar_nodes_quarantined{class="worker",reason="Mismatch"} 1',
    'ashlar_class_ready{class="worker"} 1',
    `ashlar_class_releases_expire_timestamp_seconds{class="worker"} ${NOW / 1000 + 1}`,
    'ashlar_class_quarantine{class="worker",reason="LimitReached"} 1',
    'ashlar_rollouts{phase="Rolling"} 1',
    'ashlar_rollouts{phase="Done"} 1',
    'ashlar_rollouts{phase="Halted"} 0',
    'ashlar_rollout_nodes{class="worker",state="Waiting"} 9',
    `ashlar_rollout_changed_timestamp_seconds{class="worker"} ${Date.parse(TIME) / 1000}`,
    'ashlar_differences{code="release"} 1',
    "ashlar_evidence_age_seconds_max 3600",
    'ashlar_nodes_asked_total{result="answered"} 7',
    "process_resident_memory_bytes 2",
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
  }
});

test("no series grows with the fleet, and each label and value is one that was announced", () => {
  const [small, large] = [fleet(10), fleet(1000)];
  for (const { name, labels, samples } of OPERATOR_METRICS) {
    assert.equal(samples(small).length, samples(large).length, name);
    for (const [found] of samples(large)) {
      assert.deepEqual(Object.keys(found), Object.keys(labels), name);
      for (const [label, value] of Object.entries(found)) {
        const values = labels[label];
        assert.ok(values === "NodeClass" ? value === "worker" : values?.includes(value), `${name} ${label}=${value}`);
      }
    }
  }
});

test("one that waits says so, and nothing of nodes", () => {
  const text = metricsText(OPERATOR_METRICS, factsOf({ isLeading: false, classes: [], lastAskedMs: undefined }));
  assert.match(text, /^ashlar_operator_leading 0$/mu);
  assert.match(text, /^ashlar_operator_last_question_timestamp_seconds 0$/mu);
  assert.doesNotMatch(text, /^ashlar_nodes\{/mu);
});
