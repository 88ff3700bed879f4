/**
 * Gates of Rollouts by `ashlar operator`, with a real API server and its controllers of Jobs, real TPMs and agents over TLS; machines and
 * kubelets are simulated, and what gates ask answers as Prometheus does. The tests build on each other.
 */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ashlar, removeLabOnSignal, ROOT } from "../e2e/world.ts";
import { rollout } from "./custom-resources.ts";
import { DrainLab, podSpec } from "./drain-lab.ts";
import { GateAnswers } from "./gate-server.ts";
import { LabApi } from "./lab-api.ts";
import { operatorKubeconfig, OperatorProcess, until } from "./operator-process.ts";
import { RolloutMachines, type RolloutMachine } from "./rollout-machines.ts";

const MINUTES = 60_000;
const NAME = "e2e-rollout-gates";
const LIMIT = { timeout: 20 * MINUTES };
const ROLLOUTS = "/apis/ashlar.dev/v1alpha1/rollouts";
const TOKEN = "a-token-of-the-test";

let lab: DrainLab;
let api: LabApi;
let machines: RolloutMachines;
let operator: OperatorProcess;
let kubeconfig: string;
let answers: GateAnswers;
const all: RolloutMachine[] = [];
const started: OperatorProcess[] = [];

removeLabOnSignal(NAME);

before(
  async () => {
    lab = await DrainLab.up(NAME);
    await lab.apply("-k", "deploy");
    kubeconfig = await operatorKubeconfig(lab);
    api = await LabApi.open(lab);
    machines = new RolloutMachines(lab, api);
    for (const name of ["w-1", "w-2"]) all.push(await machines.create(name, "worker", { wave: name }));
    await machines.createClass("worker");
    answers = await GateAnswers.start(TOKEN);
    const metadata = { name: "monitoring", namespace: "ashlar-system" };
    await lab.create({ apiVersion: "v1", kind: "Secret", metadata, stringData: { url: answers.url, token: TOKEN } });
    operator = start();
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  for (const each of started) await each[Symbol.asyncDispose]();
  await machines?.[Symbol.asyncDispose]();
  await answers?.[Symbol.asyncDispose]();
  api?.[Symbol.dispose]();
  await ashlar("lab", "down", "--name", NAME);
});

function start(): OperatorProcess {
  const made = new OperatorProcess(kubeconfig);
  started.push(made);
  return made;
}

type Status = { readonly phase?: string; readonly message?: string; readonly wave?: string };

async function statusOf(name: string): Promise<Status> {
  return (await api.get(`${ROLLOUTS}/${name}`)).status ?? {};
}

async function becomes(name: string, what: "phase" | "message", expected: RegExp): Promise<void> {
  let found: Status = {};
  try {
    await until(`Rollout ${name}: ${what} ${expected}`, async () => {
      found = await statusOf(name);
      return expected.test(found[what] ?? "") ? found : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(found)}`, { cause: error });
  }
}

async function roll(name: string, release: string, gates: readonly object[], change: object = {}): Promise<void> {
  for (const machine of all) machine.restarts.length = 0;
  const waves = all.map((machine) => ({ name: `of-${machine.name}`, selector: { wave: machine.name } }));
  const own = { release, class: "worker", waves, approval: "none", approvedWaves: [], canary: undefined, gates };
  await lab.create(rollout(name, { ...own, limits: { bootSeconds: 300 }, ...change }));
}

const restarts = (): string => all.map((machine) => machine.restarts.length).join(" ");

const PROMETHEUS = { server: "monitoring", query: "sum(errors)", is: "<", value: "1", timeoutSeconds: 2 };

test(
  "a query that does not hold keeps the first node from being drained, within seconds and in words",
  LIMIT,
  async () => {
    answers.value = "3";
    const begunMs = Date.now();
    await roll("first", "1.1.0", [{ name: "errors", prometheus: { ...PROMETHEUS, forSeconds: 5 } }]);
    await becomes("first", "message", /^gate errors: expected < 1, found 3$/u);
    console.log(`said ${Math.round((Date.now() - begunMs) / 1000)} s after the Rollout was made`);
    await until("w-1 has fetched the release meanwhile", async () => {
      const { nodes = [] } = (await api.get(`${ROLLOUTS}/first`)).status as {
        nodes?: { name: string; state: string }[];
      };
      return nodes.find((node) => node.name === "w-1")?.state === "Staged" ? true : undefined;
    });
    await sleep(5000);
    assert.equal(restarts(), "0 0");
    assert.equal(answers.queries[0], "sum(errors)");
  },
);

test("each way in which a gate cannot be read keeps it closed, and is said", LIMIT, async () => {
  answers.value = undefined;
  await becomes("first", "message", /^gate errors: it cannot be read: 127\.0\.0\.1:[0-9]+: no answer for 2 s$/u);
  answers.value = "NaN";
  await becomes("first", "message", /found NaN$/u);
  const of = ["--namespace", "ashlar-system"];
  const stringData = { token: "another" };
  await lab.kubectl("patch", "secret", "monitoring", ...of, "--type=merge", "-p", JSON.stringify({ stringData }));
  await becomes("first", "message", /expected an answer of Prometheus, found status 401: no token$/u);
  await lab.kubectl("patch", "secret", "monitoring", ...of, "--type=merge", "-p", '{"data":{"url":null}}');
  await becomes("first", "message", /the Secret monitoring: expected an http\(s\) URL without a password/u);
  await lab.kubectl("delete", "secret", "monitoring", ...of);
  await becomes("first", "message", /expected the Secret monitoring in the operator's namespace, found none$/u);
  assert.equal(restarts(), "0 0");
});

test("it opens when it holds for long enough, again before each wave, and once more at the end", LIMIT, async () => {
  const metadata = { name: "monitoring", namespace: "ashlar-system" };
  answers.value = "0";
  await lab.create({ apiVersion: "v1", kind: "Secret", metadata, stringData: { url: answers.url, token: TOKEN } });
  await becomes("first", "message", /^gate errors: it is well since [0-9]+ s, and has to be for 5 s$/u);
  await until("w-1 restarts", async () => (restarts() === "1 0" ? true : undefined));
  answers.value = "7";
  await becomes("first", "message", /^gate errors: expected < 1, found 7$/u);
  assert.equal((await statusOf("first")).wave, "of-w-2");
  assert.equal(restarts(), "1 0");
  answers.value = "0";
  await until("w-2 restarts", async () => (restarts() === "1 1" ? true : undefined));
  answers.value = "8";
  await becomes("first", "message", /found 8$/u);
  assert.equal((await statusOf("first")).phase, "Waiting");
  assert.equal((await statusOf("first")).wave, undefined, "all waves are over");
  answers.value = "0";
  await becomes("first", "phase", /^Done$/u);
});

test("a webhook before each node, and an operator that is killed while it is closed", LIMIT, async () => {
  await api.patch("/apis/ashlar.dev/v1alpha1/nodeclasses/worker", { spec: { release: "1.1.0" } });
  answers.webhook = [409, "a change freeze"];
  await roll("second", "1.2.0", [{ name: "approver", before: "node", webhook: { server: "monitoring" } }], {
    waves: [],
    concurrency: { nodes: 2 },
  });
  await becomes("second", "message", /^gate approver: it answers 409: a change freeze$/u);
  await operator.end("SIGKILL");
  operator = start();
  await operator.says(/^leads, as /u);
  await sleep(10_000);
  assert.equal(restarts(), "0 0");
  answers.told.length = 0;
  answers.webhook = [204, ""];
  await becomes("second", "phase", /^Done$/u);
  assert.equal(restarts(), "1 1");
  const points = [...new Set(answers.told.map(({ point }) => point))];
  assert.deepEqual([points[0], points.at(-1)], ["1 rest 0", "1 end"]);
  assert.ok(answers.told.every(({ gate }) => gate === "approver"));
});

/** As a kubelet does: the pod of the Job has come to its end. */
async function endJob(phase: "Succeeded" | "Failed"): Promise<string> {
  const pod = await until("the pod of a Job", async () => {
    const pods = await api.list("/api/v1/namespaces/checks/pods");
    return pods.find(({ status }) => !["Succeeded", "Failed"].includes((status as { phase?: string }).phase ?? ""));
  });
  const { name } = pod.metadata;
  const ended = { exitCode: phase === "Succeeded" ? 0 : 1, finishedAt: new Date().toISOString() };
  const containerStatuses = [
    { name: "main", image: "", imageID: "", ready: false, restartCount: 0, state: { terminated: ended } },
  ];
  const status = { phase, containerStatuses };
  await api.patch(`/api/v1/namespaces/checks/pods/${name}/status`, { status }, "strategic-merge");
  return name;
}

test(
  "a Job has to succeed before each wave; one that fails keeps it closed until the attempt is raised",
  LIMIT,
  async () => {
    await api.patch("/apis/ashlar.dev/v1alpha1/nodeclasses/worker", { spec: { release: "1.2.0" } });
    await lab.kubectl("create", "namespace", "checks");
    await lab.kubectl("wait", "--for=create", "--timeout=2m", "--namespace=checks", "serviceaccount/default");
    const template = { spec: podSpec({ restartPolicy: "Never" }) };
    const jobTemplate = { spec: { backoffLimit: 0, template } };
    const spec = { schedule: "0 0 1 1 *", suspend: true, jobTemplate };
    const metadata = { name: "smoke", namespace: "checks" };
    await lab.create({ apiVersion: "batch/v1", kind: "CronJob", metadata, spec });
    const job = { namespace: "checks", cronJob: "smoke" };
    await roll("third", "1.3.0", [{ name: "smoke", job }], { waves: [], concurrency: { nodes: 2 } });
    await becomes("third", "message", /^gate smoke: it cannot be read: .*403/u);
    const rights = await readFile(join(ROOT, "deploy/operator/gate-job-rights.yaml"), "utf8");
    const path = join(lab.directory, "rights.yaml");
    await writeFile(path, rights.replaceAll("namespace: default", "namespace: checks"));
    await lab.kubectl("apply", "-f", path);
    await becomes("third", "message", /^gate smoke: the Job checks\/ashlar-gate-[0-9a-f]{20} runs$/u);
    await endJob("Failed");
    await becomes("third", "message", /^gate smoke: the Job checks\/\S+ has failed: BackoffLimitExceeded: /u);
    assert.equal(restarts(), "0 0");
    await api.patch(`${ROLLOUTS}/third`, { spec: { attempt: 2 } });
    await becomes("third", "message", / runs$/u);
    await endJob("Succeeded");
    await until("both restart", async () => (restarts() === "1 1" ? true : undefined));
    await becomes("third", "message", / runs$/u);
    await endJob("Succeeded");
    await becomes("third", "phase", /^Done$/u);
    assert.equal(restarts(), "1 1");
    const names = await lab.kubectl("get", "jobs", "--namespace=checks", "-o", "name");
    assert.equal(names.trim().split(/\s+/u).length, 3, "one for each question");
  },
);
