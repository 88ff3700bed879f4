/**
 * Rollouts with checks by DaemonSets before and after a restart, as FLUO has them, and with gates, while the API server goes away in each
 * state. A real API server with its scheduler and its controllers of DaemonSets, real TPMs and agents over TLS; machines, kubelets and the
 * programs in the DaemonSets' pods are simulated. The tests build on each other.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ashlar, removeLabOnSignal } from "../e2e/world.ts";
import { rollout } from "./custom-resources.ts";
import { DrainLab } from "./drain-lab.ts";
import { GateAnswers } from "./gate-server.ts";
import { HookDaemonSets, HOOKS } from "./hook-daemon-sets.ts";
import { LabApi } from "./lab-api.ts";
import { operatorKubeconfig, OperatorProcess, until } from "./operator-process.ts";
import { RolloutMachines, type RolloutMachine } from "./rollout-machines.ts";

const MINUTES = 60_000;
const NAME = "e2e-rollout-hooks";
const LIMIT = { timeout: 60 * MINUTES };
const ROLLOUTS = "/apis/ashlar.dev/v1alpha1/rollouts";
const CLASS = "/apis/ashlar.dev/v1alpha1/nodeclasses/worker";
const TOKEN = "a-token-of-the-test";
/** The Lease is lost after 15 s, and the controller of nodes gives kubelets up after 40 s. */
const AWAY_MS = 75_000;

let lab: DrainLab;
let api: LabApi;
let machines: RolloutMachines;
let hooks: HookDaemonSets;
let answers: GateAnswers;
const all: RolloutMachine[] = [];
const started: OperatorProcess[] = [];

removeLabOnSignal(NAME);

before(
  async () => {
    lab = await DrainLab.up(NAME);
    await lab.apply("-k", "deploy");
    const kubeconfig = await operatorKubeconfig(lab);
    api = await LabApi.open(lab);
    machines = new RolloutMachines(lab, api);
    for (const name of ["w-1", "w-2"]) all.push(await machines.create(name, "worker", {}));
    await machines.createClass("worker");
    await limitTo(600);
    hooks = await HookDaemonSets.start(lab, api);
    answers = await GateAnswers.start(TOKEN);
    const metadata = { name: "monitoring", namespace: "ashlar-system" };
    await lab.create({ apiVersion: "v1", kind: "Secret", metadata, stringData: { url: answers.url, token: TOKEN } });
    started.push(new OperatorProcess(kubeconfig));
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  for (const each of started) await each[Symbol.asyncDispose]();
  await hooks?.[Symbol.asyncDispose]();
  await answers?.[Symbol.asyncDispose]();
  await machines?.[Symbol.asyncDispose]();
  api?.[Symbol.dispose]();
  await ashlar("lab", "down", "--name", NAME);
});

/** How long hooks may take. */
async function limitTo(timeoutSeconds: number): Promise<void> {
  const own = {
    beforeReboot: { annotations: [HOOKS.before.annotation], timeoutSeconds },
    afterReboot: { annotations: [HOOKS.after.annotation], timeoutSeconds },
    labels: { beforeReboot: { maintenance: "yes" }, afterReboot: { maintenance: "no" } },
  };
  await api.patch(CLASS, { spec: { rollout: own } });
}

type NodeStatus = { readonly name: string; readonly state: string; readonly message?: string };
type Status = {
  readonly phase?: string;
  readonly halt?: { readonly message: string };
  readonly nodes?: readonly NodeStatus[];
};

async function statusOf(name: string): Promise<Status> {
  return (await api.get(`${ROLLOUTS}/${name}`)).status ?? {};
}

async function becomes(name: string, what: string, holds: (status: Status) => boolean): Promise<Status> {
  let found: Status = {};
  try {
    return await until(`Rollout ${name}: ${what}`, async () => {
      found = await statusOf(name).catch(() => ({}));
      return holds(found) ? found : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(found)}`, { cause: error });
  }
}

const nodeOf = ({ nodes = [] }: Status, name: string): NodeStatus | undefined =>
  nodes.find((node) => node.name === name);
const isDone = ({ phase }: Status): boolean => phase === "Done";

/** To a release, with a pod on each node; what went before is now what nodes are declared to be. */
async function roll(name: string, release: string, change: object = {}): Promise<void> {
  const [{ version } = { version: "" }] = all;
  await api.patch(CLASS, { spec: { release: version } });
  for (const machine of all) machine.restarts.length = 0;
  hooks.agreed.length = 0;
  const pods = all.map((machine) => `web-${machine.name}`);
  await lab.kubectl("delete", "pod", "--ignore-not-found", "--grace-period=0", "--force", ...pods);
  await lab.create(...all.map((machine) => lab.pod(`web-${machine.name}`, machine.name, "web")));
  await lab.runPods(...pods);
  const own = { release, class: "worker", waves: [], approval: "none", approvedWaves: [], canary: undefined };
  await lab.create(rollout(name, { ...own, limits: { bootSeconds: 900 }, ...change }));
}

/** Each node was drained, restarted once, and nothing of ours is left on it but the label that says so. */
async function checkAll(release: string, machinesOfIt: readonly RolloutMachine[] = all): Promise<void> {
  for (const { name, version, restarts } of machinesOfIt) {
    const found = restarts.map(({ isCordoned, pods, labels }) => ({
      isCordoned,
      pods,
      maintenance: labels["maintenance"],
    }));
    assert.deepEqual(found, [{ isCordoned: true, pods: [], maintenance: "yes" }], `${name} restarts once, drained`);
    assert.equal(version, release, name);
    await isFree(name, "no");
  }
}

/** Nothing of the checks, and no cordon. */
async function isFree(name: string, maintenance: string | undefined): Promise<void> {
  const { metadata, spec } = await api.get(`/api/v1/nodes/${name}`);
  const { labels = {}, annotations = {} } = metadata;
  assert.equal(spec?.["unschedulable"], undefined, `${name} is cordoned`);
  assert.equal(annotations["ashlar.dev/cordoned-for"], undefined, name);
  for (const { label, annotation } of Object.values(HOOKS)) {
    assert.deepEqual([labels[label], annotations[annotation]], [undefined, undefined], name);
  }
  assert.equal(labels["maintenance"], maintenance, name);
}

test(
  "DaemonSets agree before a node is cordoned and before it takes pods again; what was there before counts for nothing",
  LIMIT,
  async () => {
    const old = { metadata: { annotations: { [HOOKS.before.annotation]: "true" } } };
    await api.patch("/api/v1/nodes/w-1", old);
    await roll("first", "1.1.0");
    await becomes("first", "Done", isDone);
    assert.deepEqual(hooks.agreed, ["before w-1", "after w-1", "before w-2", "after w-2"]);
    await checkAll("1.1.0");
    const events = await lab.kubectl("describe", "nroll", "first");
    for (const reason of ["BeforeReboot", "AfterReboot"]) assert.match(events, new RegExp(`${reason} .* w-1\\n`, "u"));
  },
);

test(
  "a check that does not end leaves the node as it was, says which annotation, and is tried again",
  LIMIT,
  async () => {
    await limitTo(20);
    hooks.answering.clear();
    await roll("second", "1.2.0", { exclude: ["w-2"], drain: { retrySeconds: 3, attempts: 100 } });
    const status = await becomes("second", "w-1 is Blocked", (found) => nodeOf(found, "w-1")?.state === "Blocked");
    assert.match(
      nodeOf(status, "w-1")?.message ?? "",
      /^the check before its restart has not ended after 20 s: example\.org\/before is not "true" yet$/u,
    );
    assert.equal(all[0]?.restarts.length, 0);
    const { spec } = await api.get("/api/v1/nodes/w-1");
    assert.equal(spec?.["unschedulable"], undefined, "nothing was taken from it");
    await limitTo(600);
    hooks.answering.add("before");
    await becomes("second", "w-1 waits after its restart", (found) => nodeOf(found, "w-1")?.state === "AfterReboot");
    assert.equal((await api.get("/api/v1/nodes/w-1")).spec?.["unschedulable"], true);
    await limitTo(10);
    const halted = await becomes("second", "Halted", ({ phase }) => phase === "Halted");
    assert.match(
      halted.halt?.message ?? "",
      /^w-1: it has not come home after its restart: the check after its restart has not ended after 10 s: example\.org\/after is not "true" yet$/u,
    );
    assert.equal(nodeOf(halted, "w-1")?.state, "Held");
    assert.equal((await api.get("/api/v1/nodes/w-1")).spec?.["unschedulable"], true, "it stays cordoned");
    hooks.answering.add("after");
    await becomes("second", "w-1 is Done", (found) => nodeOf(found, "w-1")?.state === "Done");
    await limitTo(600);
    await api.patch(`${ROLLOUTS}/second`, { spec: { attempt: 2 } });
    await becomes("second", "Done", isDone);
    await checkAll("1.2.0", all.slice(0, 1));
    assert.equal(all[1]?.restarts.length, 0);
  },
);

const STATES = [
  "Staging",
  "Staged",
  "BeforeReboot",
  "Draining",
  "Rebooting",
  "Proving",
  "Rejoining",
  "AfterReboot",
  "Uncordoning",
  "Done",
] as const;

test("the API server goes away in each state of a gated rollout, killed or frozen: it goes on", LIMIT, async () => {
  await limitTo(900);
  const gates = [
    { name: "errors", prometheus: { server: "monitoring", query: "sum(errors)", is: "<", value: "1" } },
    { name: "approver", before: "node", webhook: { server: "monitoring" } },
  ];
  const open = new Set<string>(STATES);
  const went: string[] = [];
  for (const [round, release] of ["1.3.0", "1.4.0", "1.5.0"].entries()) {
    const name = `round-${round + 1}`;
    await roll(name, release, { gates });
    await untilDone(name, open, went);
    await checkAll(release);
    if (open.size === 0) break;
  }
  console.log(`the API server went away at ${went.join(", ")}`);
  assert.deepEqual([...open], [], "states in which it did not go away");
});

/** Takes the API server away when a node is in one of the states that are open. */
async function untilDone(name: string, open: Set<string>, went: string[]): Promise<void> {
  const endMs = Date.now() + 30 * MINUTES;
  while (Date.now() < endMs) {
    // A connection that was kept is of the server that was killed.
    const { phase, nodes = [] } = await statusOf(name).catch((): Status => ({}));
    const found = nodes.find(({ state }) => open.has(state));
    if (found !== undefined) {
      open.delete(found.state);
      const isFrozen = went.length % 2 === 0;
      const goOn = await (isFrozen ? lab.freezeApiServer() : lab.killApiServer());
      went.push(`${found.state} (${isFrozen ? "frozen" : "killed"})`);
      console.log(`${name}: the API server is away: ${went.at(-1)}`);
      await sleep(AWAY_MS);
      await goOn();
    } else if (phase === "Done") return;
    await sleep(50);
  }
  throw new Error(`waited in vain for ${name}: ${JSON.stringify(await statusOf(name))}`);
}
