/**
 * Nodes that are not proven get no work: `ashlar operator` with a real API server, whose controller manager evicts pods and taints
 * Nodes meanwhile, real TPMs and agents over TLS. The tests build on each other: each begins where the one before has ended.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestAgent } from "@ashlar/verifier/test-fixtures";
import { ashlar, removeLabOnSignal, ROOT } from "../e2e/world.ts";
import { DrainLab, nodeNamed, podSpec } from "./drain-lab.ts";
import { CLASS_LABEL, OperatorNodes, type OperatorNode } from "./operator-nodes.ts";
import { operatorKubeconfig, OperatorProcess, until } from "./operator-process.ts";

const MINUTES = 60_000;
const NAME = "e2e-quarantine";
const LIMIT = { timeout: 15 * MINUTES };
const INTERVAL_SECONDS = 10;
const FOREIGN = "example.org/dedicated=tests:NoSchedule";
const NO_SCHEDULE = "ashlar.dev/unproven:NoSchedule";
const NO_EXECUTE = "ashlar.dev/unproven:NoExecute";

let lab: DrainLab;
let nodes: OperatorNodes;
let kubeconfig: string;
let operator: OperatorProcess;
let right: OperatorNode;
let wrong: OperatorNode;
const started: OperatorProcess[] = [];
const agents: TestAgent[] = [];

removeLabOnSignal(NAME);

before(
  async () => {
    lab = await DrainLab.up(NAME);
    await lab.apply("-k", "deploy");
    kubeconfig = await operatorKubeconfig(lab);
    nodes = new OperatorNodes(lab);
    await nodes.createClass("worker", INTERVAL_SECONDS, 3600);
    right = await nodes.create("w-right", "worker");
    wrong = await nodes.create("w-wrong", "worker", "other-config");
    await nodes.create("w-foreign", undefined);
    await nodes.createSources();
    for (const node of [right, wrong]) agents.push(await node.startAgent());
    await lab.kubectl("taint", "node", wrong.name, FOREIGN);
    operator = start();
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  for (const each of started) await each[Symbol.asyncDispose]();
  for (const agent of agents) await agent[Symbol.asyncDispose]();
  await ashlar("lab", "down", "--name", NAME);
});

function start(): OperatorProcess {
  const made = new OperatorProcess(kubeconfig);
  started.push(made);
  return made;
}

async function becomes(what: string, look: () => Promise<string>, expected: RegExp): Promise<void> {
  let found = "";
  await until(`${what}: ${expected}`, async () => {
    found = await look();
    return expected.test(found) ? found : undefined;
  });
}

async function quarantined(node: OperatorNode, expected: RegExp): Promise<void> {
  await becomes(node.name, async () => await node.proof("Quarantined"), expected);
}

/** Those of ours that a Node has; others come and go, since there is no kubelet. */
async function ownTaints(node: OperatorNode): Promise<string> {
  return (await node.taints())
    .split(" ")
    .filter((taint) => taint.startsWith("ashlar.dev/"))
    .join(" ");
}

async function set(quarantine: object, more: object = {}): Promise<void> {
  const patch = JSON.stringify({ spec: { quarantine, ...more } });
  await lab.kubectl("patch", "nclass", "worker", "--type=merge", "-p", patch);
}

async function ofClass(): Promise<string> {
  const of = '.status.conditions[?(@.type=="Quarantine")]';
  return await lab.kubectl("get", "nclass", "worker", "-o", `jsonpath={${of}.status} {${of}.reason} {${of}.message}`);
}

async function events(about: string): Promise<string> {
  const selector = `--field-selector=involvedObject.name=${about}`;
  return await lab.kubectl(
    "get",
    "events",
    selector,
    "-o",
    "jsonpath={range .items[*]}{.type} {.reason}: {.message}\n{end}",
  );
}

test("a class that does not ask for it: nothing is tainted, and nothing is said of it", LIMIT, async () => {
  await becomes("right", async () => await right.proof(), /^True Proven$/u);
  await becomes("wrong", async () => await wrong.proof(), /^False ClassConfig$/u);
  assert.equal(await ownTaints(wrong), "");
  assert.equal(await wrong.proof("Quarantined"), "");
  assert.equal((await ofClass()).trim(), "");
});

test("warn: conditions and Events say who would be tainted, and nobody is", LIMIT, async () => {
  await set({ mode: "warn", maxPercent: 50, evictAfterSeconds: INTERVAL_SECONDS });
  await quarantined(wrong, /^False WarnOnly$/u);
  await quarantined(right, /^False Admitted$/u);
  await becomes("class", ofClass, /^False WarnOnly 1 node would be tainted$/u);
  assert.match(
    await events(wrong.name),
    /^Warning WarnOnly: it would have the taint ashlar\.dev\/unproven .*class config/mu,
  );
  assert.equal(await ownTaints(wrong), "");
});

test("enforced: a mismatch is tainted, its pods leave after the time, and others' taints stay", LIMIT, async () => {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "worker" } };
  const spec = podSpec({ nodeName: wrong.name, tolerations: [], terminationGracePeriodSeconds: 0 });
  const tolerating = { ...pod, metadata: { name: "tolerating" } };
  await lab.create({ ...pod, spec }, { ...tolerating, spec: podSpec({ nodeName: wrong.name }) });
  await set({ mode: "enforce" });
  await quarantined(wrong, /^True Mismatch$/u);
  assert.equal(await ownTaints(wrong), NO_SCHEDULE);
  await becomes("class", ofClass, /^True Enforced /u);
  await quarantined(wrong, /^True MustLeave$/u);
  assert.equal(await ownTaints(wrong), `${NO_SCHEDULE} ${NO_EXECUTE}`);
  await lab.kubectl("wait", "--for=delete", "--timeout=2m", "pod/worker");
  assert.match(await lab.kubectl("get", "pods", "-o", "name"), /^pod\/tolerating$/mu);
  assert.ok((await wrong.taints()).includes(FOREIGN));
  assert.equal(await ownTaints(right), "");
  assert.match(
    await events(wrong.name),
    /^Warning MustLeave: it has the taint ashlar\.dev\/unproven: PCR 13, class config/mu,
  );
});

test("a node that comes is tainted before it is anything else, until its first proof", LIMIT, async () => {
  const late = await nodes.create("w-late", "worker");
  await quarantined(late, /^True NotProvenYet$/u);
  assert.equal(await ownTaints(late), NO_SCHEDULE);
  const made = await lab.kubectl("get", "node", late.name, "-o", "jsonpath={.metadata.creationTimestamp}");
  const path = '{.spec.taints[?(@.key=="ashlar.dev/unproven")].timeAdded}';
  const added = await lab.kubectl("get", "node", late.name, "-o", `jsonpath=${path}`);
  const seconds = (Date.parse(added) - Date.parse(made)) / 1000;
  console.log(`tainted ${seconds} s after it came, in whole seconds`);
  assert.ok(seconds <= 5, `${seconds} s`);
  agents.push(await late.startAgent());
  await quarantined(late, /^False Admitted$/u);
  assert.equal(await ownTaints(late), "");
});

test("what somebody takes away comes back, whoever else writes the Node meanwhile", LIMIT, async () => {
  const others = Array.from({ length: 5 }, (_, index) => `example.org/other-${index}`);
  // One after the other: kubectl itself writes over what others have put since it has looked.
  const taintAll = async (): Promise<void> => {
    for (const key of others) await lab.kubectl("taint", "node", wrong.name, `${key}=1:PreferNoSchedule`);
  };
  const labelAll = async (): Promise<void> => {
    for (const key of others) await lab.kubectl("label", "node", wrong.name, `${key}=1`);
  };
  await lab.kubectl("taint", "node", wrong.name, "ashlar.dev/unproven-");
  await Promise.all([taintAll(), labelAll()]);
  await becomes("wrong", async () => await ownTaints(wrong), /NoSchedule .*NoExecute/u);
  const all = await wrong.taints();
  for (const key of others) assert.ok(all.includes(`${key}=1:`), all);
});

test("an operator that is killed leaves all as it is, and the next one changes nothing", LIMIT, async () => {
  await operator.end("SIGKILL");
  // But for when it was last proven, which is written down once a minute.
  const proofs = async (): Promise<unknown> =>
    JSON.parse(await lab.kubectl("get", "nproof", "-o", "json"), (key, value: unknown) =>
      ["lastProved", "resourceVersion", "managedFields"].includes(key) ? undefined : value,
    );
  const known = await proofs();
  operator = start();
  await operator.says(/^leads, as /u);
  const asked = (): number => agents.reduce((sum, agent) => sum + agent.asked.length, 0);
  const then = asked();
  await until("all are asked again", async () => (asked() >= then + 6 ? true : undefined));
  assert.deepEqual(await proofs(), known);
  assert.equal(await ownTaints(wrong), `${NO_SCHEDULE} ${NO_EXECUTE}`);
});

test(
  "a Node that is made anew under its name, while nobody looks, is tainted until it has proved itself",
  LIMIT,
  async () => {
    await operator.end("SIGKILL");
    const [agent] = agents;
    await agent?.[Symbol.asyncDispose]();
    const bootId = await lab.kubectl("get", "node", right.name, "-o", "jsonpath={.status.nodeInfo.bootID}");
    await lab.kubectl("delete", "node", right.name);
    await lab.create(nodeNamed(right.name, { [CLASS_LABEL]: "worker" }));
    await right.report({ addresses: [{ type: "InternalIP", address: right.address }], nodeInfo: { bootID: bootId } });
    assert.equal(await right.proof(), "True Proven");
    operator = start();
    await becomes("right", async () => await ownTaints(right), /NoSchedule/u);
    await quarantined(right, /^True NotProvenYet$/u);
    agents.push(await right.startAgent());
    await quarantined(right, /^False Admitted$/u);
    assert.equal(await ownTaints(right), "");
  },
);

test(
  "a wrong declaration: of four nodes two lose work and no more, the class says so, and it ends with the cause",
  LIMIT,
  async () => {
    const fourth = await nodes.create("w-fourth", "worker");
    agents.push(await fourth.startAgent());
    await quarantined(fourth, /^False Admitted$/u);
    const workers = (await lab.kubectl("get", "nodes", "-o", "name")).trim().split(/\s+/u).length;
    assert.equal(workers, 5);
    await set({}, { release: "1.1.0" });
    await becomes(
      "class",
      ofClass,
      /^True LimitReached 2 nodes would be tainted, .* 2 of 5: is what the class declares/u,
    );
    const tainted = await Promise.all(
      ["w-right", "w-late", "w-fourth", "w-wrong"].map(
        async (name) => await lab.kubectl("get", "node", name, "-o", "jsonpath={.spec.taints[*].key}"),
      ),
    );
    assert.equal(tainted.filter((keys) => keys.includes("ashlar.dev/unproven")).length, 2);
    assert.match(await events("worker"), /^Warning LimitReached: 2 nodes would be tainted/mu);
    await set({}, { release: "1.0.0" });
    await becomes("class", ofClass, /^True Enforced /u);
    for (const node of [right, fourth]) await becomes(node.name, async () => await ownTaints(node), /^$/u);
    assert.match(await ownTaints(wrong), /NoSchedule/u);
  },
);

test("without the right to taint the class says so, and with it all is done", LIMIT, async () => {
  const files = ["rollout-rights.yaml", "quarantine-rights.yaml"].map((name) => join(ROOT, "deploy/operator", name));
  for (const file of files) await lab.kubectl("delete", "-f", file);
  await lab.kubectl("taint", "node", wrong.name, "ashlar.dev/unproven-");
  await becomes(
    "class",
    ofClass,
    /^True NotAllowed .*403.*; deploy\/operator\/quarantine-rights\.yaml has the rights$/u,
  );
  await lab.kubectl("apply", "-f", files[1] ?? "");
  await becomes("wrong", async () => await ownTaints(wrong), /NoSchedule/u);
  await becomes("class", ofClass, /^True Enforced /u);
});

test("switched off: what was put is taken back, others' taints stay, and nothing is said any more", LIMIT, async () => {
  await set({ mode: "none" });
  await becomes("wrong", async () => await ownTaints(wrong), /^$/u);
  await becomes("wrong", async () => await wrong.proof("Quarantined"), /^$/u);
  assert.ok((await wrong.taints()).includes(FOREIGN));
  await becomes("class", ofClass, /^\s*$/u);
});
