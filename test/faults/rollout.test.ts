/**
 * Rollouts by `ashlar operator`, with a real API server, real TPMs and agents over TLS; machines and kubelets are simulated. The tests
 * build on each other: each begins where the one before has ended.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "@ashlar/kube";
import { ashlar, ashlarWithStatus, removeLabOnSignal } from "../e2e/world.ts";
import { rollout } from "./custom-resources.ts";
import { budget, DrainLab } from "./drain-lab.ts";
import { LabApi } from "./lab-api.ts";
import { operatorKubeconfig, OperatorProcess, until } from "./operator-process.ts";
import { RolloutMachines, type RolloutMachine } from "./rollout-machines.ts";

const MINUTES = 60_000;
const NAME = "e2e-rollout";
const LIMIT = { timeout: 40 * MINUTES };
const CLASS = "worker";
const ROLLOUTS = "/apis/ashlar.dev/v1alpha1/rollouts";
const WAVES = ["1", "2"].map((wave) => ({ name: `wave-${wave}`, selector: { wave } }));

let lab: DrainLab;
let api: LabApi;
let machines: RolloutMachines;
let operator: OperatorProcess;
let kubeconfig: string;
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
    for (const [name, wave] of [
      ["w-1", "1"],
      ["w-2", "2"],
      ["w-3", "2"],
    ] as const) {
      all.push(await machines.create(name, CLASS, { wave }));
    }
    await machines.createClass(CLASS);
    operator = start();
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  for (const each of started) await each[Symbol.asyncDispose]();
  await machines?.[Symbol.asyncDispose]();
  api?.[Symbol.dispose]();
  await ashlar("lab", "down", "--name", NAME);
});

function start(): OperatorProcess {
  const made = new OperatorProcess(kubeconfig);
  started.push(made);
  return made;
}

type NodeStatus = { readonly name: string; readonly state: string; readonly message?: string; readonly since: string };
type Status = {
  readonly phase?: string;
  readonly wave?: string;
  readonly message?: string;
  readonly halt?: { readonly node: string; readonly message: string };
  readonly nodes?: readonly NodeStatus[];
};

async function statusOf(name: string): Promise<Status> {
  return (await api.get(`${ROLLOUTS}/${name}`)).status ?? {};
}

function nodeOf({ nodes = [] }: Status, name: string): NodeStatus | undefined {
  return nodes.find((node) => node.name === name);
}

async function phaseOf(name: string, wanted: string): Promise<Status> {
  let found: Status = {};
  try {
    return await until(`Rollout ${name}: ${wanted}`, async () => {
      found = await statusOf(name).catch(() => ({}));
      return found.phase === wanted ? found : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(found)}`, { cause: error });
  }
}

/** Pods that nobody makes anew, one on each node. */
async function runPods(): Promise<void> {
  const gone = all.map(({ name }) => `web-${name}`);
  await lab.kubectl("delete", "pod", "--ignore-not-found", "--grace-period=0", "--force", ...gone);
  await lab.create(...all.map(({ name }) => lab.pod(`web-${name}`, name, "web")));
  await lab.runPods(...gone);
}

/** Makes a Rollout to a release, as somebody would: what went before is now what nodes are declared to be. */
async function roll(name: string, release: string, change: object = {}, isBlocked: boolean = false): Promise<void> {
  for (const machine of all) machine.restarts.length = 0;
  await runPods();
  if (isBlocked) {
    await lab.create(budget("web", 3, "web"));
    await lab.budgetCounts("web", 3);
  }
  const own = { release, class: CLASS, waves: WAVES, approval: "none", approvedWaves: [], canary: undefined };
  await lab.create(rollout(name, { ...own, limits: { bootSeconds: 300 }, ...change }));
}

async function declare(release: string): Promise<void> {
  await api.patch(`/apis/ashlar.dev/v1alpha1/nodeclasses/${CLASS}`, { spec: { release } });
}

/**
 * What must hold of every rollout that has come to its end.
 *
 * @param others how often nodes have restarted, where that is not once, and what they run then
 */
async function checkAll(
  release: string,
  others: Readonly<Record<string, readonly [number, string]>> = {},
): Promise<void> {
  for (const { name, version, restarts } of all) {
    const [times, runs] = others[name] ?? [1, release];
    assert.equal(restarts.length, times, `${name} restarted so often: ${JSON.stringify(restarts)}`);
    for (const { isCordoned, pods } of restarts)
      assert.deepEqual([isCordoned, pods], [true, []], `${name} was drained`);
    assert.equal(version, runs, name);
  }
  await nobodyIsCordoned();
}

async function nobodyIsCordoned(): Promise<void> {
  const nodes = await api.list("/api/v1/nodes");
  const cordoned = nodes.filter(({ spec, metadata }) => {
    const note = metadata.annotations?.["ashlar.dev/cordoned-for"];
    return spec?.["unschedulable"] === true || note !== undefined;
  });
  assert.deepEqual(
    cordoned.map(({ metadata }) => metadata.name),
    [],
  );
}

test("two waves are rolled to the end: drained, restarted once, proven, uncordoned", LIMIT, async () => {
  await roll("first", "1.1.0");
  const order: string[] = [];
  const status = await until("the first rollout", async () => {
    const found = await statusOf("first");
    for (const { name, restarts } of all) if (restarts.length > 0 && !order.includes(name)) order.push(name);
    if (order.length > 1) assert.equal(nodeOf(found, "w-1")?.state, "Done", "the second wave follows the first");
    return found.phase === "Done" ? found : undefined;
  });
  assert.deepEqual(order, ["w-1", "w-2", "w-3"]);
  assert.equal(status.halt, undefined);
  await checkAll("1.1.0");
  assert.match(await lab.kubectl("get", "nroll", "first"), /\nfirst +worker +1\.1\.0 +Done +3 +3 +\d+/u);
  assert.equal(
    (await lab.kubectl("get", "nproof", "-o", "jsonpath={.items[*].status.release}")).trim(),
    "1.1.0 1.1.0 1.1.0",
  );
  await lab.kubectl("wait", "--for=condition=Complete", "--timeout=10s", "nroll/first");
  assert.match(await lab.kubectl("describe", "nroll", "first"), /Rebooting +\d+s.*\n?.*w-1/u);
});

test("back to the former release, the last wave first; who was left out is there, and stays", LIMIT, async () => {
  await declare("1.1.0");
  await roll("back", "1.0.0", { allowDowngrade: true, reverse: true, exclude: ["w-3"] });
  const order: string[] = [];
  await until("the way back", async () => {
    for (const { name, restarts } of all) if (restarts.length > 0 && !order.includes(name)) order.push(name);
    return (await statusOf("back")).phase === "Done" ? true : undefined;
  });
  assert.deepEqual(order, ["w-2", "w-1"]);
  await checkAll("1.0.0", { "w-3": [0, "1.1.0"] });
  await roll("forth", "1.1.0");
  await phaseOf("forth", "Done");
  await checkAll("1.1.0", { "w-3": [0, "1.1.0"] });
});

test("a node that falls back halts the rollout, and the others were never touched", LIMIT, async () => {
  await declare("1.1.0");
  all[0]?.unhealthy.add("1.2.0");
  await roll("second", "1.2.0");
  const status = await phaseOf("second", "Halted");
  assert.equal(status.halt?.node, "w-1");
  assert.match(
    status.halt?.message ?? "",
    /^w-1: it rolled back to 1\.1\.0 on its own: containerd: it is not running/u,
  );
  assert.equal(nodeOf(status, "w-1")?.state, "FellBack");
  await sleep(10_000);
  await checkAll("1.1.0", { "w-2": [0, "1.1.0"], "w-3": [0, "1.1.0"] });
  const names = await lab.kubectl("get", "pods", "-o", "name");
  assert.match(names, /web-w-2[^]*web-w-3/u);
  all[0]?.unhealthy.clear();
  await api.patch(`${ROLLOUTS}/second`, { spec: { attempt: 2 } });
  await phaseOf("second", "Done");
  await checkAll("1.2.0", { "w-1": [2, "1.2.0"] });
});

test(
  "a budget that blocks is named in the status within 10 s, with its pod; nothing restarts until it gives way",
  LIMIT,
  async () => {
    await declare("1.2.0");
    await roll("third", "1.3.0", { exclude: ["w-2", "w-3"] }, true);
    await until("w-1 is drained", async () =>
      nodeOf(await statusOf("third"), "w-1")?.state === "Draining" ? true : undefined,
    );
    const beganMs = performance.now();
    const message = await until("the budget is named", async () => {
      const said = nodeOf(await statusOf("third"), "w-1")?.message;
      return said === undefined ? undefined : said;
    });
    const seconds = (performance.now() - beganMs) / 1000;
    console.log(`from Draining to the reason: ${seconds.toFixed(1)} s`);
    assert.match(message, /^default\/web-w-1: PodDisruptionBudget web: /u);
    assert.ok(seconds < 10, `${seconds} s`);
    assert.equal(all[0]?.restarts.length, 0);
    await lab.kubectl("delete", "pdb", "web");
    await phaseOf("third", "Done");
    await checkAll("1.3.0", { "w-2": [0, "1.2.0"], "w-3": [0, "1.2.0"] });
  },
);

test("a pod that must not be interrupted keeps its node from being cordoned, and is named", LIMIT, async () => {
  await declare("1.2.0");
  const blockedBy = [{ app: "web" }];
  const drain = { timeoutSeconds: 600, blockedBy };
  await roll("blocked", "1.3.0", { exclude: ["w-1", "w-3"], drain });
  const message = await until("the pod is named", async () => nodeOf(await statusOf("blocked"), "w-2")?.message);
  assert.match(message, /^default\/web-w-2: its labels are among those of drain\.blockedBy$/u);
  await sleep(5000);
  await nobodyIsCordoned();
  assert.equal(all[1]?.restarts.length, 0);
  await lab.kubectl("label", "pod", "web-w-2", "app=other", "--overwrite");
  await phaseOf("blocked", "Done");
  await checkAll("1.3.0", { "w-1": [0, "1.3.0"], "w-3": [0, "1.2.0"] });
});

test("a Rollout that is deleted while a node is drained gives the node back, and goes then", LIMIT, async () => {
  await roll("fourth", "1.3.0", {}, true);
  await until("one is drained", async () => {
    const { nodes = [] } = await statusOf("fourth");
    return nodes.some(({ state, message }) => state === "Draining" && message !== undefined) ? true : undefined;
  });
  await lab.kubectl("delete", "nroll", "fourth", "--timeout=3m");
  await nobodyIsCordoned();
  assert.deepEqual(
    all.map(({ restarts }) => restarts.length),
    [0, 0, 0],
  );
  await lab.kubectl("delete", "pdb", "web");
});

test(
  "a Rollout that is aborted gives back who is drained; who has got there stays right, and another one goes on",
  LIMIT,
  async () => {
    // The others have the release already.
    await roll("aborted", "1.3.0", {}, true);
    await until("w-3 cannot be drained", async () => {
      const { state, message } = nodeOf(await statusOf("aborted"), "w-3") ?? {};
      return state === "Draining" && message !== undefined ? true : undefined;
    });
    await api.patch(`${ROLLOUTS}/aborted`, { spec: { aborted: true } });
    const status = await phaseOf("aborted", "Aborted");
    assert.deepEqual(
      ["w-1", "w-2", "w-3"].map((name) => nodeOf(status, name)?.state),
      ["Done", "Done", "Skipped"],
    );
    await checkAll("1.3.0", { "w-1": [0, "1.3.0"], "w-2": [0, "1.3.0"], "w-3": [0, "1.2.0"] });
    // Each is asked again: what two run, and what w-3 boots next, are of no Rollout that goes on.
    await sleep(30_000);
    const levels = "{.items[*].status.level} {.items[*].status.nextBoot.level}";
    const said = await lab.kubectl("get", "nproof", "-o", `jsonpath=${levels}`);
    assert.equal(said.trim(), "proven proven proven proven proven proven");
    await assert.rejects(
      api.patch(`${ROLLOUTS}/aborted`, { spec: { aborted: false } }),
      /an aborted Rollout stays so/u,
    );
    await lab.kubectl("delete", "pdb", "web");
    await roll("again", "1.3.0");
    await phaseOf("again", "Done");
    await checkAll("1.3.0", { "w-1": [0, "1.3.0"], "w-2": [0, "1.3.0"] });
  },
);

const STATES = ["Staging", "Staged", "Draining", "Rebooting", "Proving", "Rejoining", "Uncordoning", "Done"] as const;

test(
  "killed at each of its states, it goes on: nobody restarts twice or undrained, and nobody stays cordoned",
  LIMIT,
  async () => {
    await roll("fifth", "1.4.0");
    const open = new Set<string>(STATES);
    const killed: string[] = [];
    await until("the rollout that is killed again and again", async () => {
      for (let looks = 0; looks < 40; looks += 1) {
        const { phase, nodes = [] } = await statusOf("fifth");
        if (phase === "Done") return true;
        const found = nodes.find(({ state }) => open.has(state));
        if (found !== undefined) {
          open.delete(found.state);
          killed.push(found.state);
          await operator.end("SIGKILL");
          operator = start();
        }
        await sleep(50);
      }
      return undefined;
    });
    console.log(`killed at ${killed.join(", ")}`);
    await checkAll("1.4.0");
    assert.deepEqual([...open], [], "states in which it was not killed");
  },
);

test("the API server is away for a while in the middle of it: it goes on", LIMIT, async () => {
  await declare("1.4.0");
  await roll("sixth", "1.5.0");
  await until("w-1 restarts", async () => ((all[0]?.restarts.length ?? 0) > 0 ? true : undefined));
  const startAgain = await lab.killApiServer();
  await sleep(60_000);
  await startAgain();
  await phaseOf("sixth", "Done");
  await checkAll("1.5.0");
});

test(
  "a kubelet that the API server does not support is refused, in words, before anything happens",
  LIMIT,
  async () => {
    using cluster = await Cluster.open({ kubeconfig });
    const server = await cluster.serverVersion(AbortSignal.timeout(MINUTES));
    assert.match(server, /^v1\.33\./u, "the API server that this test was written for");
    await declare("1.5.0");
    for (const [name, release, why] of [
      [
        "newer",
        "1.6.0",
        /^the kubelet 1\.34\.0-1\.1 of the release 1\.6\.0 would be newer than the API server, v1\.33\.\d+: /u,
      ],
      ["older", "1.6.1", /^the kubelet 1\.29\.9-1\.1 of the release 1\.6\.1 would be 4 minor versions older /u],
    ] as const) {
      await roll(name, release);
      const message = await until(`Rollout ${name} says why`, async () => {
        const { message: said = "" } = await statusOf(name);
        return why.test(said) ? said : undefined;
      });
      await sleep(10_000);
      const { phase, nodes = [] } = await statusOf(name);
      assert.equal(phase, "Pending");
      assert.deepEqual(
        nodes.map(({ state, message: said }) => [state, said]),
        all.map((_, index) => ["Waiting", index === 0 ? message : "its wave, wave-2, has not begun"]),
      );
      assert.deepEqual([all.map(({ restarts }) => restarts.length)], [[0, 0, 0]]);
      const plan = await ashlarWithStatus("rollout", "plan", name, "--kubeconfig", lab.access.kubeconfig);
      const [, ...lines] = plan.stdout.toString("utf8").trim().split("\n");
      assert.deepEqual(
        [plan.status, ...lines],
        [
          1,
          "wave-1  w-1   to go  -",
          "wave-2  w-2   to go  -",
          "wave-2  w-3   to go  -",
          `to ${release}; away at once: 1 at most`,
          `the operator says: ${message}`,
        ],
      );
      await lab.kubectl("delete", "nroll", name, "--timeout=3m");
    }
    await roll("supported", "1.6.2");
    await phaseOf("supported", "Done");
    await checkAll("1.6.2");
  },
);
