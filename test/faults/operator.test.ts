/**
 * `ashlar operator` with a real API server, real TPMs and agents over TLS. It has the rights of deploy/operator and no
 * others. The tests build on each other: each begins where the one before has ended.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestAgent } from "@ashlar/verifier/test-fixtures";
import { ashlar, removeLabOnSignal, ROOT } from "../e2e/world.ts";
import { nodeClass } from "./custom-resources.ts";
import { DrainLab } from "./drain-lab.ts";
import { OperatorNodes, type OperatorNode } from "./operator-nodes.ts";
import { operatorKubeconfig, OperatorProcess, requestsFor, until } from "./operator-process.ts";

const MINUTES = 60_000;
const NAME = "e2e-operator";
const LIMIT = { timeout: 15 * MINUTES };
const FIRST_PORT = 27_610;

let lab: DrainLab;
let nodes: OperatorNodes;
let kubeconfig: string;
let operator: OperatorProcess;
let [right, wrong, late]: OperatorNode[] = [];
const started: OperatorProcess[] = [];
const agents = new Map<string, TestAgent>();

removeLabOnSignal(NAME);

before(
  async () => {
    lab = await DrainLab.up(NAME);
    await lab.apply("-k", "deploy");
    kubeconfig = await operatorKubeconfig(lab);
    nodes = new OperatorNodes(lab);
    await nodes.createClass("worker", 10, 3600);
    right = await nodes.create("w-right", "worker");
    wrong = await nodes.create("w-wrong", "worker", "other-config");
    late = await nodes.create("w-late", "worker");
    await nodes.create("w-foreign", undefined);
    await nodes.createSources();
    for (const node of [right, wrong]) agents.set(node.name, await node.startAgent());
    operator = start();
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  for (const each of started) await each[Symbol.asyncDispose]();
  for (const agent of agents.values()) await agent[Symbol.asyncDispose]();
  await ashlar("lab", "down", "--name", NAME);
});

function start(): OperatorProcess {
  const made = new OperatorProcess(kubeconfig, "--listen", `127.0.0.1:${FIRST_PORT + started.length}`);
  started.push(made);
  return made;
}

/** Status and text of what the operator answers that was started at this place in the row. */
async function answerOf(index: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${FIRST_PORT + index}${path}`);
  return `${response.status} ${await response.text()}`;
}

async function becomes(
  node: OperatorNode | undefined,
  expected: RegExp,
  what: "proof" | "marks" = "proof",
): Promise<void> {
  let found = "";
  await until(`${node?.name}: ${what} ${expected}`, async () => {
    found = (await node?.[what]()) ?? "";
    return expected.test(found) ? found : undefined;
  });
}

/** That a node was asked so often since this was called. */
async function asked(node: OperatorNode | undefined, times: number): Promise<void> {
  const list = agents.get(node?.name ?? "")?.asked ?? [];
  const count = (): number => list.filter((path) => path === "/v1/evidence").length;
  const enough = count() + times;
  await until(`${node?.name} is asked ${times} times`, async () => (count() >= enough ? true : undefined));
}

type Counts = Readonly<Record<string, number>>;
type Requests = Readonly<Record<"proofs" | "statuses" | "classes" | "classStatuses" | "events", Counts>> & {
  readonly marks: number | undefined;
};
const NOTHING = { proofs: {}, statuses: {}, classStatuses: {}, events: {} };

/** All that the operator could ask for but by lists and watches. What else writes statuses of Nodes does not patch them. */
async function requests(): Promise<Requests> {
  const group = "ashlar.dev";
  return {
    proofs: await requestsFor(lab, { group, resource: "nodeproofs" }),
    statuses: await requestsFor(lab, { group, resource: "nodeproofs", subresource: "status" }),
    classes: await requestsFor(lab, { group, resource: "nodeclasses" }),
    classStatuses: await requestsFor(lab, { group, resource: "nodeclasses", subresource: "status" }),
    events: await requestsFor(lab, { group: "events.k8s.io", resource: "events" }),
    marks: (await requestsFor(lab, { group: "", resource: "nodes", subresource: "status" }))["PATCH"],
  };
}

test("each node's own answer: proven, a mismatch, silent; and a node of no class is left alone", LIMIT, async () => {
  await becomes(right, /^True Proven$/u);
  await becomes(right, /^True Proven 1\.0\.0 [0-9a-f]{64}$/u, "marks");
  await becomes(wrong, /^False ClassConfig$/u);
  await becomes(wrong, /^False ClassConfig$/u, "marks");
  await becomes(late, /^Unknown NeverProven$/u);
  assert.match((await late?.proof("Answers")) ?? "", /^False AgentSilent$/u);
  const status = await lab.kubectl("get", "nproof", "w-wrong", "-o", "jsonpath={.status.differences[0].what}");
  assert.match(status, /class/u);
  const names = (await lab.kubectl("get", "nproof", "-o", "name")).trim().split(/\s+/u);
  assert.deepEqual(
    names.map((name) => name.split("/")[1]),
    ["w-late", "w-right", "w-wrong"],
  );
});

test("the class says how many nodes it has and how many are proven; people see it all in kubectl", LIMIT, async () => {
  await until("the counts of the class", async () => {
    const path = "jsonpath={.status.nodes} {.status.proven} {.status.conditions[0].status}";
    return (await lab.kubectl("get", "nclass", "worker", "-o", path)) === "3 1 True" ? true : undefined;
  });
  assert.match(
    await lab.kubectl("get", "nproof", "w-right"),
    /\nw-right +True +Proven +1\.0\.0 +1\.1\.0 +worker +\d+s/u,
  );
  const described = await lab.kubectl("describe", "node", "w-right");
  assert.match(described, /Enrolled .*its TPM and firmware are pinned from now on/u);
  assert.match(described, /AshlarProven +True/u);
});

test("its metrics say the same, and it is well", LIMIT, async () => {
  const found = await answerOf(0, "/metrics");
  for (const line of [
    "ashlar_operator_leading 1",
    'ashlar_nodes{class="worker",level="proven"} 1',
    'ashlar_nodes{class="worker",level="mismatch"} 1',
    'ashlar_nodes{class="worker",level="unknown"} 1',
    'ashlar_class_ready{class="worker"} 1',
    'ashlar_differences{code="class-config"} 1',
  ]) {
    assert.ok(found.includes(`${line}\n`), `${line} in\n${found}`);
  }
  assert.match(found, /^ashlar_nodes_asked_total\{result="silent"\} [1-9]/mu);
  assert.equal(await answerOf(0, "/healthz"), "200 ok\n");
  assert.equal(await answerOf(0, "/readyz"), "200 ok\n");
  assert.match(await answerOf(0, "/v1/fleet"), /^404 /u);
});

test("a node that was silent is proven when its agent answers", LIMIT, async () => {
  assert.ok(late !== undefined);
  agents.set(late.name, await late.startAgent());
  await becomes(late, /^True Proven$/u);
  await becomes(late, /^True Proven 1\.0\.0 /u, "marks");
  assert.equal(await late.proof("Answers"), "True Answered");
});

test(
  "killed and started again: nothing is written when nothing has changed, and nothing is polled",
  LIMIT,
  async () => {
    assert.equal(await operator.end("SIGKILL"), null);
    const requestsBefore = await requests();
    operator = start();
    await operator.says(/^leads, as /u);
    await Promise.all([right, wrong, late].map(async (node) => await asked(node, 3)));
    assert.deepEqual(await requests(), requestsBefore);
  },
);

test("what a kubelet forges on its Node is written over, and its proof stays what it is", LIMIT, async () => {
  await lab.kubectl("label", "node", "w-wrong", "ashlar.dev/release=1.0.0", "--overwrite");
  const forged = { type: "AshlarProven", status: "True", reason: "Proven", message: "runs 1.0.0" };
  const patch = JSON.stringify({ status: { conditions: [forged] } });
  await lab.kubectl("patch", "node", "w-wrong", "--subresource=status", "-p", patch);
  await becomes(wrong, /^False ClassConfig$/u, "marks");
  assert.equal(await wrong?.proof(), "False ClassConfig");
});

test("it may do what it does, and nothing else", LIMIT, async () => {
  const may = async (...what: string[]): Promise<string> => {
    const as = ["--as", "system:serviceaccount:ashlar-system:ashlar-operator"];
    return await lab.kubectl("auth", "can-i", ...what, ...as).then(
      () => "yes",
      () => "no",
    );
  };
  const refused = [
    ["delete", "nodes"],
    ["update", "nodes"],
    ["delete", "pods", "-n", "default"],
    ["create", "pods", "-n", "default"],
    ["create", "rollouts.ashlar.dev"],
    ["delete", "rollouts.ashlar.dev"],
    ["delete", "nodeproofs.ashlar.dev"],
    ["patch", "nodeproofs.ashlar.dev"],
    ["update", "nodeclasses.ashlar.dev"],
    ["list", "secrets", "-n", "kube-system"],
    ["list", "secrets", "-n", "default"],
    ["create", "secrets", "-n", "ashlar-system"],
    ["patch", "leases.coordination.k8s.io/other", "-n", "ashlar-system"],
  ];
  for (const what of refused) assert.equal(await may(...what), "no", what.join(" "));
  assert.equal(await may("update", "nodeproofs.ashlar.dev", "--subresource=status"), "yes");
  // What Rollouts and quarantines need is one role each, and nothing of it is left without them.
  const forRollouts = [
    ["patch", "nodes"],
    ["create", "pods", "--subresource=eviction", "-n", "default"],
    ["patch", "rollouts.ashlar.dev"],
  ];
  for (const what of forRollouts) assert.equal(await may(...what), "yes", what.join(" "));
  for (const rights of ["rollout-rights.yaml", "quarantine-rights.yaml"]) {
    assert.equal(await may("patch", "nodes"), "yes", `each of them alone: before ${rights} goes`);
    await lab.kubectl("delete", "-f", join(ROOT, "deploy/operator", rights));
  }
  for (const what of forRollouts) assert.equal(await may(...what), "no", what.join(" "));
  assert.equal(await may("patch", "leases.coordination.k8s.io/ashlar-operator", "-n", "ashlar-system"), "yes");
  // The door to a Node's marks leads to nothing else, whoever goes through it.
  const unschedulable = JSON.stringify({ spec: { unschedulable: true, taints: [{ key: "x", effect: "NoExecute" }] } });
  await lab.kubectl("patch", "node", "w-right", "--subresource=status", "-p", unschedulable);
  assert.equal(await lab.kubectl("get", "node", "w-right", "-o", "jsonpath={.spec.unschedulable}"), "");
  assert.doesNotMatch(await lab.kubectl("get", "node", "w-right", "-o", "jsonpath={.spec.taints}"), /NoExecute/u);
});

test("a second replica waits for the Lease, and goes on when the first is gone", LIMIT, async () => {
  const second = start();
  try {
    await second.says(/^waits: .* leads$/u);
    const index = started.indexOf(second);
    assert.equal(await answerOf(index, "/readyz"), "200 ok\n");
    const found = await answerOf(index, "/metrics");
    assert.match(found, /^ashlar_operator_leading 0$/mu);
    assert.doesNotMatch(found, /^ashlar_nodes\{/mu);
    assert.equal(await operator.end("SIGTERM"), 0);
    await second.says(/^leads, as /u);
    await asked(right, 1);
  } finally {
    await operator.end("SIGKILL");
    operator = second;
  }
});

test("one class that cannot be used says why, and its nodes are not proven; the others are", LIMIT, async () => {
  await lab.create(nodeClass("broken", { release: "9.9.9" }));
  const node = await nodes.create("w-broken", "broken");
  await becomes(node, /^Unknown ClassNotReady$/u);
  const path = "jsonpath={.status.conditions[0].status} {.status.conditions[0].message}";
  assert.match(
    await lab.kubectl("get", "nclass", "broken", "-o", path),
    /^False the Butane file of NodeClass broken|^False expected the manifest of release 9\.9\.9, found 1\.0\.0, 1\.1\.0$/u,
  );
  await asked(right, 1);
  assert.equal(await right?.proof(), "True Proven");
});

test("a node that has restarted is asked at once; one whose proof gets old is unknown", LIMIT, async () => {
  await nodes.createClass("brief", 10, 120);
  const brief = await nodes.create("w-brief", "brief");
  const agent = await brief.startAgent();
  try {
    await becomes(brief, /^True Proven$/u);
  } finally {
    await agent[Symbol.asyncDispose]();
  }
  await right?.report({ nodeInfo: { bootID: "boot-2-of-w-right" } });
  await until("the proof is about the new boot", async () => {
    const boot = await lab.kubectl("get", "nproof", "w-right", "-o", "jsonpath={.status.bootId}");
    return boot === "boot-2-of-w-right" ? true : undefined;
  });
  await becomes(brief, /^Unknown ProofTooOld$/u);
  await becomes(brief, /^Unknown ProofTooOld$/u, "marks");
  assert.equal(await right?.proof(), "True Proven");
});

test("of a Node that is deleted the proof stays, with its pin, and says so", LIMIT, async () => {
  await lab.kubectl("delete", "node", "w-late");
  await becomes(late, /^Unknown NodeGone$/u);
  const pin = await lab.kubectl("get", "nproof", "w-late", "-o", "jsonpath={.status.pin.akName}");
  assert.match(pin, /^000b[0-9a-f]{64}$/u);
});

test("an API server that was away: the same process goes on, and writes nothing", LIMIT, async () => {
  const said = operator.lines.length;
  const startAgain = await lab.killApiServer();
  await operator.says(/^no longer leads: |^waits: .*no answer from the API server/u, said);
  await operator.says(/^waits: .*no answer from the API server/u, said);
  const index = started.indexOf(operator);
  assert.match(await answerOf(index, "/readyz"), /^503 .*no answer from the API server/u);
  assert.equal(await answerOf(index, "/healthz"), "200 ok\n");
  await startAgain();
  await operator.says(/^leads, as /u, said);
  await Promise.all([right, wrong].map(async (node) => await asked(node, 2)));
  // The API server counts from its own start.
  const { proofs, statuses, classStatuses, events, marks } = await requests();
  assert.deepEqual({ proofs, statuses, classStatuses, events, marks }, { ...NOTHING, marks: undefined });
  assert.equal(await right?.proof(), "True Proven");
});
