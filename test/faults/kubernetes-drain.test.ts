/**
 * Draining against a real API server: what it refuses, what waits, and whose cordon is taken back. Nodes and pods are objects
 * alone, and the test does what kubelets would.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "@ashlar/kube";
import type { BlockedPod, NodeResult } from "@ashlar/rollout";
import { ashlar, removeLabOnSignal } from "../e2e/world.ts";
import { budget, DrainLab, nodeNamed, podSpec } from "./drain-lab.ts";
import { FIRST_BOOT, takeTurn, type TurnOptions } from "./drain-turn.ts";

const MINUTES = 60_000;
const NAME = "e2e-drain";
const signal = new AbortController().signal;
let lab: DrainLab;

removeLabOnSignal(NAME);

before(async () => void (lab = await DrainLab.up(NAME)), { timeout: 60 * MINUTES });

after(async () => await ashlar("lab", "down", "--name", NAME));

type Turn = NodeResult & { readonly waited: readonly BlockedPod[] };

async function turn(name: string, change: Partial<TurnOptions> = {}): Promise<Turn> {
  const waited: BlockedPod[] = [];
  const onBlocked = (blocked: readonly BlockedPod[]): void => void waited.push(...blocked);
  const place = { kubeconfig: lab.access.kubeconfig, recordPath: lab.recordOf(name) };
  const result = await takeTurn(name, { ...place, onBlocked, ...change });
  return { ...result, waited };
}

/** Two pods of which the budget needs both, the first of them on a node of its own. */
async function blockedNode(name: string, app: string): Promise<void> {
  const [first, second] = [`${app}-1`, `${app}-2`];
  await lab.create(
    nodeNamed(name),
    budget(app, 2, app),
    lab.pod(first, name, app),
    lab.pod(second, `${name}-other`, app),
  );
  await lab.runPods(first, second);
  await lab.budgetCounts(app, 2);
}

test("a node that the cluster does not have: said at once, nothing waited for", async () => {
  const { outcome, reason } = await turn("nobody");
  assert.deepEqual([outcome, reason?.code], ["stopped", "not-drained"]);
  assert.match(reason?.message ?? "", /the Node nobody: the API server answers 404: nodes "nobody" not found/u);
});

test("pods that somebody would miss are refused, as by kubectl, before anything is cordoned", async () => {
  const emptyDir = { volumes: [{ name: "cache", emptyDir: {} }] };
  await lab.create(nodeNamed("w-refused"), lab.pod("bare", "w-refused", "bare", { isOwned: false }));
  await lab.create(lab.pod("cached", "w-refused", "cached", emptyDir));
  const { reason, cluster } = await turn("w-refused");
  assert.match(
    reason?.message ?? "",
    /default\/bare: nobody makes it anew, since it has no controller: --force-drain/u,
  );
  assert.match(reason?.message ?? "", /default\/cached: its emptyDir cache would be lost: --delete-emptydir-data/u);
  assert.deepEqual([cluster?.evicted, cluster?.cordoned], [0, false]);
  await assert.rejects(lab.kubectl("drain", "w-refused", "--dry-run=server", "--ignore-daemonsets"), (error: Error) => {
    assert.match(error.message, /Pods that declare no controller .*: default\/bare/u);
    assert.match(error.message, /Pods with local storage .*: default\/cached/u);
    return true;
  });
  const one = await turn("w-refused", { policy: { force: true } });
  assert.doesNotMatch(one.reason?.message ?? "", /bare/u);
  const all = await turn("w-refused", { policy: { force: true, deleteEmptyDirs: true }, bootTimeoutMs: 1 });
  assert.equal(all.cluster?.evicted, 2);
  assert.equal(await lab.kubectl("get", "pods", "--field-selector=spec.nodeName=w-refused", "-o", "name"), "");
});

test("a drain leaves pods of DaemonSets and of a node's own files", { timeout: 60 * MINUTES }, async () => {
  const labels = { matchLabels: { app: "daemon" } };
  const template = { metadata: { labels: labels.matchLabels }, spec: podSpec({ nodeSelector: { daemon: "yes" } }) };
  await lab.create(
    { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "daemon" }, spec: { selector: labels, template } },
    nodeNamed("w-daemon", { daemon: "yes" }),
    lab.pod("static", "w-daemon", "static", { isOwned: false, annotations: { "kubernetes.io/config.mirror": "file" } }),
  );
  await lab.reportBoot("w-daemon", FIRST_BOOT);
  const bound = "--for=jsonpath={.spec.nodeName}=w-daemon";
  await lab.kubectl("wait", "--for=create", "--timeout=5m", "pod", "-l", "app=daemon");
  await lab.kubectl("wait", bound, "--timeout=5m", "pod", "-l", "app=daemon");
  using server = await Cluster.open({ kubeconfig: lab.access.kubeconfig });
  const [daemon] = await server.pods("app=daemon", signal);
  assert.deepEqual([daemon?.node, daemon?.controller?.kind, daemon?.isReady], ["w-daemon", "DaemonSet", false]);
  const { outcome, cluster } = await turn("w-daemon", { onReboot: async (id) => lab.reportBoot("w-daemon", id) });
  assert.deepEqual([outcome, cluster], ["updated", { evicted: 0, blocked: [], cordoned: false, note: null }]);
  const left = await lab.kubectl("get", "pods", "--field-selector=spec.nodeName=w-daemon", "-o", "name");
  assert.match(left, /^pod\/daemon-\w+\npod\/static\n$/u);

  // Those that are left when their DaemonSet is gone are nobody's.
  await lab.kubectl("delete", "daemonset", "daemon", "--cascade=orphan");
  const orphaned = await turn("w-daemon");
  assert.match(
    orphaned.reason?.message ?? "",
    /default\/daemon-\w+: (?:its DaemonSet daemon is gone, so )?nobody makes it anew/u,
  );
});

test("a budget that is used up: it is named and waited for; our cordon is taken back, in the end", async () => {
  await blockedNode("w-budget", "web");
  const { reason, cluster, waited } = await turn("w-budget");
  const words = /default\/web-1: PodDisruptionBudget web: .*needs 2 healthy pods and has 2/u;
  assert.match(reason?.message ?? "", /^it could not be drained in time: /u);
  assert.match(reason?.message ?? "", words);
  assert.deepEqual(new Set(waited.map((pod) => `${pod.name} ${pod.budgets.join()}`)), new Set(["web-1 web"]));
  assert.deepEqual([cluster?.evicted, cluster?.cordoned, await lab.cordonOf("w-budget")], [0, false, ""]);

  await lab.kubectl("cordon", "w-budget");
  const other = await turn("w-budget");
  assert.match(other.reason?.message ?? "", words);
  assert.match(other.cluster?.note ?? "", /as somebody else had left it/u);
  assert.equal(await lab.cordonOf("w-budget"), "true", "somebody else's");
});

test("a pod that two budgets match is named with both, before anything is cordoned", async () => {
  await lab.create(nodeNamed("w-twice"), budget("twice-a", 0, "twice"), budget("twice-b", 0, "twice"));
  await lab.create(lab.pod("twice-1", "w-twice", "twice"));
  await lab.runPods("twice-1");
  const { reason, cluster, waited } = await turn("w-twice");
  assert.match(reason?.message ?? "", /default\/twice-1: PodDisruptionBudget twice-a and twice-b: .*more than one/u);
  assert.deepEqual([cluster?.evicted, cluster?.cordoned, waited], [0, false, []]);
});

test("another pod that has got the name meanwhile is not evicted", async () => {
  await lab.create(nodeNamed("w-name"), lab.pod("named", "w-name", "named"));
  using cluster = await Cluster.open({ kubeconfig: lab.access.kubeconfig });
  const member = cluster.member("w-name");
  await using pods = await member.pods(signal);
  const [named] = pods.items;
  assert.ok(named !== undefined);
  const uid = "00000000-0000-4000-8000-000000000000";
  const answer = await member.evict({ ...named, uid }, { graceSeconds: undefined, rehearse: false }, signal);
  assert.equal(answer.kind, "busy");
  assert.equal(pods.items.length, 1);
});

test("a pod that takes its time is waited for, and the node restarts when the last has gone", async () => {
  await lab.create(
    nodeNamed("w-slow"),
    lab.pod("slow-1", "w-slow", "slow", { graceSeconds: 600 }),
    lab.pod("slow-2", "w-slow", "slow"),
  );
  let isOrdered = false;
  const { outcome, cluster } = await turn("w-slow", {
    policy: { timeoutMs: 10 * MINUTES },
    onBlocked: ([pod]) => {
      assert.match(pod?.message ?? "", /told to end, and has not ended yet|still there/u);
      if (!isOrdered) void lab.kubectl("delete", "pod", "slow-1", "--force", "--grace-period=0");
      isOrdered = true;
    },
    onReboot: async (id) => {
      assert.ok(isOrdered);
      assert.equal(await lab.cordonOf("w-slow"), "true 1.1.0");
      await lab.reportBoot("w-slow", id);
    },
  });
  assert.deepEqual([outcome, cluster?.evicted, cluster?.cordoned], ["updated", 2, false]);
});

test("killed while it drains: the next command goes on, and takes its own cordon back", async () => {
  await blockedNode("w-killed", "killed");
  const place = { kubeconfig: lab.access.kubeconfig, recordPath: lab.recordOf("w-killed") };
  const options = { ...place, policy: { timeoutMs: 60 * MINUTES } };
  const script = `
    import { takeTurn } from ${JSON.stringify(join(import.meta.dirname, "drain-turn.ts"))};
    await takeTurn("w-killed", { ...${JSON.stringify(options)}, onBlocked: () => console.log("waits") });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(await lab.cordonOf("w-killed"), "true 1.1.0", "nobody was there to take it back");

  await lab.kubectl("delete", "poddisruptionbudget", "killed");
  const { outcome, cluster } = await turn("w-killed", { onReboot: async (id) => lab.reportBoot("w-killed", id) });
  assert.deepEqual([outcome, cluster?.evicted, cluster?.cordoned], ["updated", 1, false]);
  assert.equal(await lab.cordonOf("w-killed"), "");
});
