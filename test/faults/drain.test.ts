/**
 * Draining against a real API server: what it refuses, what waits, and whose cordon is taken back. Nodes and pods are objects
 * alone, and the test does what a kubelet would: it says that pods run, and ends those that were told to end.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "@ashlar/host";
import { Cluster } from "@ashlar/kube";
import { openLab } from "@ashlar/lab";
import { drainMember, type BlockedPod } from "@ashlar/rollout";
import { ExtensionWorld } from "../e2e/extension-lab.ts";
import { ashlar, removeLabOnSignal, ROOT } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-drain";
const signal = new AbortController().signal;
const world = new ExtensionWorld("drain");
const policy = { timeoutMs: 10_000, graceSeconds: undefined, deleteEmptyDirs: false, force: false, release: "1.1.0" };
let cluster: Cluster;
let access: { readonly program: string; readonly environment: Readonly<Record<string, string>> };
let owner: string;

removeLabOnSignal(NAME);

before(
  async () => {
    await world.make();
    await ashlar("lab", "down", "--name", NAME);
    const config = ["--config", join(ROOT, "examples/cluster-worker.bu"), "--image", world.image];
    await ashlar("lab", "up", "--name", NAME, "--cluster", "--workers", "0", ...config);
    const { cluster: made } = await openLab(NAME);
    assert.ok(made !== undefined);
    access = { program: made.kubectl, environment: made.environment };
    cluster = await Cluster.open({ kubeconfig: made.kubeconfig });
    const budget = (name: string, minAvailable: number, app: string) => ({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name },
      spec: { minAvailable, selector: { matchLabels: { app } } },
    });
    await create(
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "owner" } },
      ...["w1", "w2"].map((name) => ({ apiVersion: "v1", kind: "Node", metadata: { name } })),
      budget("web", 2, "web"),
      budget("twice-a", 1, "twice"),
      budget("twice-b", 1, "twice"),
    );
    owner = await kubectl("get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}");
    await create(pod("web-1", "w1", "web"), pod("web-2", "w2", "web"), pod("twice-1", "w2", "twice"));
    await create(pod("free-1", "w1", "free"), pod("bare", "w2", "bare", false));
    const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    for (const name of ["web-1", "web-2", "twice-1", "free-1"]) {
      await kubectl("patch", "pod", name, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status }));
    }
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  cluster[Symbol.dispose]();
  await ashlar("lab", "down", "--name", NAME);
});

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await run(access.program, args, { env: access.environment });
  return stdout.toString("utf8");
}

async function create(...items: object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await run(access.program, ["apply", "-f", "-"], { env: access.environment, input });
}

/** With a controller that nothing acts on, so that nobody makes it anew. */
function pod(name: string, nodeName: string, app: string, isOwned = true): object {
  const reference = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner, controller: true };
  const ownerReferences = isOwned ? [reference] : [];
  const container = { name: "main", image: "example.org/none" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app }, ownerReferences },
    spec: {
      nodeName,
      tolerations: [{ operator: "Exists" }],
      automountServiceAccountToken: false,
      containers: [container],
    },
  };
}

async function drain(name: string, change: { readonly timeoutMs?: number; readonly force?: boolean } = {}) {
  const waited: (readonly BlockedPod[])[] = [];
  const member = cluster.member(name);
  const onBlocked = (blocked: readonly BlockedPod[]): void => void waited.push(blocked);
  const result = await drainMember(member, { ...policy, ...change, onBlocked, signal });
  return { ...result, waited, cordon: (await member.look(signal)).cordon };
}

test("a pod that nobody makes anew is refused, as kubectl does, before anything is cordoned", async () => {
  const { problem, evicted, cordon } = await drain("w2");
  assert.match(problem ?? "", /default\/bare: nobody makes it anew/u);
  assert.deepEqual([evicted, cordon], [0, "none"]);
  await assert.rejects(
    kubectl("drain", "w2", "--dry-run=server", "--ignore-daemonsets"),
    /Pods that declare no controller .*: default\/bare/u,
  );
});

test("a pod that two budgets match is named with both, before anything is cordoned", async () => {
  const { problem, blocked, evicted, cordon } = await drain("w2", { force: true });
  assert.match(problem ?? "", /default\/twice-1: PodDisruptionBudget twice-a and twice-b: .*more than one/u);
  assert.deepEqual(
    blocked.map(({ name }) => name),
    ["twice-1"],
  );
  assert.deepEqual([evicted, cordon], [0, "none"]);
});

test("a budget that is used up: the drain says which pod and which budget, and ends when its time is over", async () => {
  const { problem, waited, cordon } = await drain("w1");
  assert.match(problem ?? "", /default\/web-1: PodDisruptionBudget web: .*needs 2 healthy pods and has 2/u);
  assert.ok(waited.length > 0);
  assert.equal(cordon, "ours");
});

test("a cordon of ours is taken back, somebody else's is not", async () => {
  const member = cluster.member("w1");
  await member.uncordon(signal);
  assert.equal((await member.look(signal)).cordon, "none");
  await kubectl("cordon", "w1");
  await member.cordon("1.1.0", signal);
  await member.uncordon(signal);
  assert.equal((await member.look(signal)).cordon, "foreign");
  await kubectl("uncordon", "w1");
});

test("another pod that has got the name meanwhile is not evicted", async () => {
  const member = cluster.member("w1");
  await using pods = await member.pods(signal);
  const web = pods.items.find(({ name }) => name === "web-1");
  assert.ok(web !== undefined);
  const uid = "00000000-0000-4000-8000-000000000000";
  const answer = await member.evict({ ...web, uid }, { graceSeconds: undefined, rehearse: false }, signal);
  assert.equal(answer.kind, "busy");
});

test("when the budget lets go, the drain ends with the last pod", { timeout: 5 * MINUTES }, async () => {
  await kubectl("delete", "poddisruptionbudget", "web");
  const ending = new AbortController();
  const kubelet = (async () => {
    while (!ending.signal.aborted) {
      const { items }: { items: { metadata: { name: string; deletionTimestamp?: string } }[] } = JSON.parse(
        await kubectl("get", "pods", "-o", "json"),
      );
      for (const { metadata } of items.filter((each) => each.metadata.deletionTimestamp !== undefined)) {
        await kubectl(
          "delete",
          "pod",
          metadata.name,
          "--force",
          "--grace-period=0",
          "--wait=false",
          "--ignore-not-found",
        );
      }
      await sleep(500);
    }
  })();
  const { problem, cordon } = await drain("w1", { timeoutMs: 4 * MINUTES });
  ending.abort();
  await kubelet;
  assert.equal(problem, undefined);
  assert.equal(cordon, "ours");
  assert.doesNotMatch(await kubectl("get", "pods", "-o", "name"), /web-1|free-1/u);
});
