import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answerOf } from "./eviction-answer.ts";
import { readBudgets } from "./read-budget.ts";
import { readNode } from "./read-node.ts";
import { readPod } from "./read-pod.ts";
import { readRollout } from "./read-rollout.ts";

const refusal = { message: "no", causes: [], retryAfterMs: undefined };
const budget = [
  { reason: "DisruptionBudget", message: "The disruption budget web needs 2 healthy pods and has 2 currently" },
];

test("refused evictions: what a retry helps, and what it does not", () => {
  assert.equal(answerOf({ ...refusal, code: 404 }).kind, "gone");
  assert.deepEqual(answerOf({ ...refusal, code: 429, causes: budget, retryAfterMs: 10_000 }), {
    kind: "budget",
    message: budget[0]?.message,
    retryAfterMs: 10_000,
  });
  // The server has too much to do: no budget is in the way.
  assert.equal(answerOf({ ...refusal, code: 429, retryAfterMs: 1000 }).kind, "busy");
  assert.equal(answerOf({ ...refusal, code: 409 }).kind, "busy");
  assert.equal(answerOf({ ...refusal, code: 503 }).kind, "busy");
  assert.equal(answerOf({ ...refusal, code: 500, message: "etcdserver: request timed out" }).kind, "busy");
  const two = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
  assert.equal(answerOf({ ...refusal, code: 500, message: two }).kind, "refused");
  assert.equal(answerOf({ ...refusal, code: 403 }).kind, "refused");
  const terminating = [{ reason: "NamespaceTerminating", message: "" }];
  assert.equal(answerOf({ ...refusal, code: 403, causes: terminating }).kind, "busy");
  assert.throws(() => answerOf({ ...refusal, code: 401 }), { code: "privilege" });
});

test("which budgets match a pod", () => {
  const of = (name: string, selector: unknown) => ({ metadata: { name }, spec: { selector } });
  const expression = (operator: string, values?: string[]) => ({
    matchExpressions: [{ key: "app", operator, values }],
  });
  const list = {
    items: [
      of("labels", { matchLabels: { app: "web" } }),
      of("all", {}),
      of("none", null),
      of("in", expression("In", ["web", "db"])),
      of("not-in", expression("NotIn", ["web"])),
      of("exists", expression("Exists")),
      of("missing", expression("DoesNotExist")),
      { spec: "nothing that can be read" },
    ],
  };
  const matching = (labels: Record<string, string>): string[] =>
    readBudgets(list).flatMap(({ name, matches }) => (matches(labels) ? [name] : []));
  assert.deepEqual(matching({ app: "web" }), ["labels", "all", "in", "exists"]);
  assert.deepEqual(matching({}), ["all", "not-in", "missing"]);
  assert.deepEqual(matching({ app: "mail" }), ["all", "not-in", "exists"]);
});

test("a Node: cordons of ours are those with the note", () => {
  const node = (annotations: object, unschedulable?: boolean) =>
    readNode({ metadata: { name: "n", resourceVersion: "1", annotations }, spec: { unschedulable } });
  assert.equal(node({}).cordon, "none");
  assert.equal(node({}, true).cordon, "foreign");
  assert.equal(node({ "ashlar.dev/cordoned-for": "1.1.0" }, true).cordon, "ours");
  // Somebody has uncordoned it meanwhile.
  assert.equal(node({ "ashlar.dev/cordoned-for": "1.1.0" }).cordon, "none");
});

test("what a kubelet writes into its Node does not hide the Node", () => {
  const metadata = { name: "n", resourceVersion: "1" };
  const read = readNode({
    metadata,
    status: { addresses: [{ type: "InternalIP", address: "x".repeat(10_000) }], conditions: 7 },
  });
  assert.equal(read.internalAddress, undefined);
  assert.equal(read.isReady, false);
  assert.throws(() => readNode({ metadata: {} }), { code: "malformed" });
});

test("what a kubelet writes into its pods, and what it does not", () => {
  const metadata = { namespace: "shop", name: "web-1", uid: "1" };
  const conditions = [
    { type: "PodScheduled", status: "True" },
    { type: "Ready", status: "True" },
  ];
  const containerStatuses = [{ restartCount: 2 }, { restartCount: 1 }];
  const of = (status: object) => {
    const { node, address, isReady, restarts } = readPod({ metadata, spec: { nodeName: "w" }, status });
    return [node, address, isReady, restarts];
  };
  assert.deepEqual(of({ podIP: "10.244.0.7", conditions, containerStatuses }), ["w", "10.244.0.7", true, 3]);
  assert.deepEqual(of({ conditions: conditions.slice(0, 1) }), ["w", undefined, false, 0]);
  // It must not keep a drain from ending.
  assert.deepEqual(of({ conditions: "Ready", containerStatuses: [{}] }), ["w", undefined, false, 0]);
});

test("a Pod: only what controls it makes it anew", () => {
  const metadata = { namespace: "shop", name: "web-1", uid: "1", ownerReferences: [{ kind: "ConfigMap", name: "c" }] };
  const pod = readPod({
    metadata,
    spec: {
      volumes: [
        { name: "a", emptyDir: {} },
        { name: "b", hostPath: {} },
      ],
    },
  });
  assert.equal(pod.controller, undefined);
  assert.deepEqual(pod.emptyDirs, ["a"]);
  assert.equal(
    readPod({ metadata: { ...metadata, ownerReferences: [{ kind: "Job", name: "j", controller: true }] } }).controller
      ?.kind,
    "Job",
  );
  assert.throws(() => readPod({ metadata: { name: "x" } }), { code: "malformed" });
});

test("a Rollout: what cannot be understood is said, and never thrown", () => {
  const metadata = { name: "a", uid: "u", resourceVersion: "7", generation: 2 };
  const spec = { class: "worker", release: "1.1.0" };
  const read = readRollout({ metadata, spec });
  assert.deepEqual([read.spec?.attempt, read.spec?.drain.timeoutSeconds, read.status], [1, 900, {}]);
  assert.deepEqual([read.fault, read.isDeleting, read.finalizers], [undefined, false, []]);
  const later = readRollout({ metadata, spec, status: { nodes: [{ name: "a", wave: "rest", state: "Teleporting" }] } });
  assert.deepEqual([later.spec?.class, later.status], ["worker", undefined]);
  assert.match(later.fault ?? "", /^status\.nodes\.0\.state: /u);
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (other, status) => {
      const { fault, ...found } = readRollout({ metadata, spec: other, status });
      assert.equal(fault === undefined, found.spec !== undefined && found.status !== undefined);
    }),
  );
});
