/** `kubectl ashlar rollout` and a real API server. No operator runs: what it would write is written here. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { EXIT_STATUS } from "@ashlar/base";
import { ashlar, removeLabOnSignal, ROOT } from "../e2e/world.ts";
import { nodeClass, nodeProof, rollout } from "./custom-resources.ts";
import { DrainLab, nodeNamed } from "./drain-lab.ts";
import { LabApi } from "./lab-api.ts";
import { KubectlPlugin } from "./kubectl-plugin.ts";
import { until } from "./operator-process.ts";

const MINUTES = 60_000;
const NAME = "e2e-kubectl-rollout";
const CLASS_LABEL = "ashlar.node-restriction.kubernetes.io/class";
const HOSTILE = "\u001b[2J\nall done\u202e";
const WORKERS = { "worker-1": "a", "worker-2": "b", "worker-3": "b" } as const;
/** The controller of nodes gives a kubelet up after 40 seconds. */
const HEARTBEAT_MS = 8000;
const NEVER = "2026-01-01T00:00:00Z";
let lab: DrainLab;
let kubectl: KubectlPlugin;
let api: LabApi;
let beating: NodeJS.Timeout;

removeLabOnSignal(NAME);

before(
  async () => {
    lab = await DrainLab.up(NAME);
    kubectl = await KubectlPlugin.of(lab);
    await lab.apply("-f", "deploy/crds");
    await lab.kubectl("apply", "-f", join(ROOT, "deploy/operator/people.yaml"));
    await lab.create(nodeClass("worker", { operatorKey: { name: "keys", key: "operator.pem" } }));
    api = await LabApi.open(lab);
    for (const [name, zone] of Object.entries(WORKERS)) {
      const labels = { [CLASS_LABEL]: "worker", "topology.kubernetes.io/zone": zone };
      await lab.create(nodeNamed(name, labels), nodeProof(name));
      await beat(name);
      await prove(name);
    }
    beating = setInterval(() => {
      for (const name of Object.keys(WORKERS)) beat(name).catch(() => undefined);
    }, HEARTBEAT_MS);
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  clearInterval(beating);
  api?.[Symbol.dispose]();
  await ashlar("lab", "down", "--name", NAME);
});

/** As a kubelet does. */
async function beat(name: string): Promise<void> {
  const ready = { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: new Date().toISOString() };
  const status = { conditions: [ready], nodeInfo: { bootID: `boot-of-${name}` } };
  await api.patch(`/api/v1/nodes/${name}/status`, { status }, "strategic-merge");
}

async function prove(name: string, change: object = {}): Promise<void> {
  const condition = { type: "Proven", status: "True", reason: "Proven", message: "", lastTransitionTime: NEVER };
  const status = {
    class: "worker",
    level: "proven",
    release: "1.0.0",
    bootId: `boot-of-${name}`,
    lastProved: new Date().toISOString(),
    conditions: [condition],
    ...change,
  };
  const which = ["nproof", name, "--subresource=status", "--type=merge"];
  await lab.kubectl("patch", ...which, "-p", JSON.stringify({ status }));
}

/** As the operator would write it now. */
async function writeStatus(name: string, status: object): Promise<void> {
  const generation = await lab.kubectl("get", "nroll", name, "-o", "jsonpath={.metadata.generation}");
  const body = JSON.stringify({ status: { observedGeneration: Number(generation), attempt: 1, ...status } });
  await lab.kubectl("patch", "nroll", name, "--subresource=status", "--type=merge", "-p", body);
}

async function specOf(name: string, path: string): Promise<string> {
  return await lab.kubectl("get", "nroll", name, "-o", `jsonpath={.spec.${path}}`);
}

const node = (name: string, wave: string, state: string, more: object = {}): object => ({
  name,
  wave,
  state,
  since: new Date().toISOString(),
  ...more,
});

test("a plan of one that is paused: who would go when, and what would keep each", async () => {
  await lab.create(rollout("planned", { canary: undefined, paused: true }));
  await lab.kubectl("cordon", "worker-3");
  const plan = await kubectl.run("rollout", "plan", "planned");
  assert.equal(plan.status, 1, plan.stderr);
  const rows = plan.text.split("\n").map((line) => line.replaceAll(/ {2,}/gu, "|"));
  const crowded = "1 may be away at once, and worker-3 is";
  for (const row of [
    `zone-a|worker-1|to go|${crowded}`,
    `rest|worker-2|not approved|${crowded}`,
    "rest|worker-3|not approved|somebody else has cordoned it",
    "now it would wait: the rollout is paused",
  ])
    assert.ok(rows.includes(row), `${row} in ${rows.join("\n")}`);
  await lab.kubectl("uncordon", "worker-3");
  await lab.kubectl("delete", "nroll", "planned");
  const none = await kubectl.run("rollout", "pause", "planned");
  assert.equal(none.status, EXIT_STATUS["not-found"]);
  assert.match(none.stderr, /expected a Rollout planned, found none/u);
});

test("status: each node's step and what it waits for, wave by wave; hostile texts stay texts", async () => {
  assert.match((await kubectl.run("rollout", "status")).stderr, /there are no Rollouts/u);
  await lab.create(rollout("to-1-1-0", { canary: undefined }));
  const fresh = await kubectl.run("rollout", "status", "to-1-1-0");
  assert.equal(fresh.status, 2);
  assert.match(fresh.text, /Pending, 0 of 0 nodes done: the operator has not looked at it since it was changed/u);
  await writeStatus("to-1-1-0", {
    phase: "Waiting",
    wave: "rest",
    message: "wave rest waits to be approved",
    total: 3,
    done: 1,
    nodes: [
      node("worker-1", "zone-a", "Done", { from: "1.0.0" }),
      node("worker-2", "rest", "Waiting", { message: HOSTILE }),
      node("worker-3", "rest", "Waiting"),
    ],
  });
  const { status, text } = await kubectl.run("rollout", "status", "to-1-1-0", "-o", "wide");
  assert.equal(status, 2);
  const [head, titles, first, second] = text.trim().split("\n");
  assert.equal(
    head,
    "to-1-1-0: worker to 1.1.0, Waiting, wave rest, 1 of 3 nodes done: wave rest waits to be approved",
  );
  assert.match(titles ?? "", /^WAVE +NODE +STATE +FOR +FROM +DRAINS +WAITS FOR$/u);
  assert.match(first ?? "", /^zone-a +worker-1 +Done +\d+ s +1\.0\.0 +0 +-$/u);
  assert.ok((second ?? "").endsWith(String.raw`\u001b[2J\nall done\u202e`));
  const json = await kubectl.run("rollout", "status", "-o", "json");
  const [found] = JSON.parse(json.text).rollouts;
  assert.deepEqual(
    [found.name, found.waves[1].isApproved, found.waves[1].nodes[0].message],
    ["to-1-1-0", false, HOSTILE],
  );
  assert.equal((await kubectl.run("rollout", "status", "-o", "name")).text, "rollout.ashlar.dev/to-1-1-0\n");
  assert.match((await kubectl.run("rollout", "status", "-o", "yaml")).text, /^schema: ashlar\.rollouts\/v1$/mu);
});

test("approve, pause, resume, retry: written as the user, once, and said so", async () => {
  const approved = await kubectl.run("rollout", "approve", "to-1-1-0");
  assert.equal(approved.text, "rollout.ashlar.dev/to-1-1-0 wave rest approved\n", approved.stderr);
  assert.equal(await specOf("to-1-1-0", "approvedWaves"), '["zone-a","rest"]');
  assert.match((await kubectl.run("rollout", "approve", "to-1-1-0", "rest")).text, /was approved already/u);
  // The operator has not looked at it since: which wave is meant has to be said.
  assert.equal((await kubectl.run("rollout", "approve", "to-1-1-0")).status, EXIT_STATUS.invalid);
  assert.match((await kubectl.run("rollout", "pause", "to-1-1-0")).text, / paused$/mu);
  assert.equal(await specOf("to-1-1-0", "paused"), "true");
  assert.equal((await kubectl.run("rollout", "pause", "to-1-1-0", "-o", "name")).text, "rollout.ashlar.dev/to-1-1-0\n");
  const halt = { node: "worker-2", message: "worker-2: it rolled back", since: NEVER };
  await writeStatus("to-1-1-0", { phase: "Halted", halt });
  const refused = await kubectl.run("rollout", "resume", "to-1-1-0");
  assert.equal(refused.status, EXIT_STATUS.invalid);
  assert.match(refused.stderr, /it has halted: worker-2: it rolled back\nhint: .*--retry/u);
  assert.equal((await kubectl.run("rollout", "status", "to-1-1-0")).status, 1);
  assert.match((await kubectl.run("rollout", "resume", "to-1-1-0", "--retry")).text, / resumed, attempt 2$/mu);
  assert.deepEqual([await specOf("to-1-1-0", "paused"), await specOf("to-1-1-0", "attempt")], ["false", "2"]);
});

test("who may look and not change is told which role helps; who has it may", async () => {
  for (const [name, role] of [
    ["looker", "ashlar-view"],
    ["pilot", "ashlar-rollouts"],
  ] as const) {
    await lab.kubectl("create", "serviceaccount", name);
    const subject = `--serviceaccount=default:${name}`;
    await lab.kubectl("create", "clusterrolebinding", name, `--clusterrole=${role}`, subject);
  }
  const as = ["--kubeconfig", await kubectl.kubeconfigOf("looker")];
  assert.equal((await kubectl.run("rollout", "status", ...as)).status, 2);
  const refused = await kubectl.run("rollout", "pause", "to-1-1-0", ...as);
  assert.equal(refused.status, EXIT_STATUS.privilege);
  assert.match(
    refused.stderr,
    /error: the Rollout to-1-1-0: the API server answers 403.*\nhint: .*ClusterRole ashlar-rollouts/u,
  );
  assert.equal((await kubectl.run("rollout", "plan", "to-1-1-0", ...as)).status, EXIT_STATUS.privilege);
  const pilot = ["--kubeconfig", await kubectl.kubeconfigOf("pilot")];
  assert.match((await kubectl.run("rollout", "plan", "to-1-1-0", ...pilot)).text, /^WAVE +NODE +STATE/mu);
  assert.equal((await kubectl.run("rollout", "pause", "to-1-1-0", ...pilot)).status, 0);
  assert.equal((await kubectl.run("rollout", "resume", "to-1-1-0", ...pilot)).status, 0);
});

function watch(...args: readonly string[]): { readonly lines: string[]; readonly ended: Promise<number | null> } {
  const child = spawn(lab.access.kubectl, ["ashlar", "rollout", ...args], {
    env: { ...process.env, ...kubectl.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => lines.push(line));
  return { lines, ended: once(child, "exit").then(([status]: (number | null)[]) => status ?? null) };
}

test("ashlar console shows them as they change", async () => {
  const child = spawn(join(ROOT, "ashlar"), ["console", "--kubeconfig", lab.access.kubeconfig, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = await once(createInterface({ input: child.stdout }), "line");
    const { url: page }: { url: string } = JSON.parse(String(line));
    const url = new URL("/v1/rollouts", page);
    url.search = new URL(page).search;
    const isPaused = async (): Promise<unknown> => {
      const { rollouts = [] } = JSON.parse(await (await fetch(url)).text());
      return rollouts.find(({ name }: { name: string }) => name === "to-1-1-0")?.isPaused;
    };
    await until("it is shown", async () => ((await isPaused()) === false ? true : undefined));
    await kubectl.run("rollout", "pause", "to-1-1-0");
    await until("the change is shown", async () => ((await isPaused()) === true ? true : undefined));
  } finally {
    child.kill("SIGINT");
    await once(child, "exit");
  }
  await kubectl.run("rollout", "resume", "to-1-1-0");
});

test("abort waits until the nodes are home, and watching ends with it", async () => {
  const out = node("worker-2", "rest", "Rebooting", { restartedFrom: "boot" });
  await writeStatus("to-1-1-0", { phase: "Rolling", halt: null, wave: "rest", nodes: [out] });
  const watching = watch("status", "to-1-1-0", "--watch");
  await until("it is watched", async () => watching.lines.find((line) => /worker-2 +Rebooting/u.test(line)));
  const aborting = watch("abort", "to-1-1-0");
  await until("it waits for the operator", async () =>
    aborting.lines.find((line) => line.includes("the operator has not looked at it yet")),
  );
  await writeStatus("to-1-1-0", { phase: "Rolling", nodes: [out] });
  await until("it waits for the node", async () =>
    aborting.lines.find((line) => line.includes("waits for worker-2 (Rebooting)")),
  );
  await writeStatus("to-1-1-0", { phase: "Aborted", wave: null, nodes: [node("worker-2", "rest", "Done")] });
  assert.equal(await aborting.ended, 0, aborting.lines.join("\n"));
  assert.equal(aborting.lines.at(-1), "rollout.ashlar.dev/to-1-1-0 aborted");
  assert.equal(await watching.ended, 1, watching.lines.join("\n"));
  assert.ok(watching.lines.some((line) => /worker-2 +Done/u.test(line)));
  const again = await kubectl.run("rollout", "resume", "to-1-1-0");
  assert.match(again.stderr, /found that it was aborted/u);
});
