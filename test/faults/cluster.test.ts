/** Two workers of one class join a cluster by their file, work, and come back after a reboot. */
import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { findProcesses, run, withTemporaryDirectory } from "@ashlar/host";
import { levelWithNextBoot } from "@ashlar/identity";
import type { KubePod } from "@ashlar/kube";
import { ClusterLab, until } from "../e2e/cluster-lab.ts";
import { ExtensionWorld } from "../e2e/extension-lab.ts";
import { ashlar, removeLabOnSignal, ROOT } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-cluster";
const NODES = ["node-1", "node-2"];
const VERSION = "v1.33.4";
/** Of the image in every lab's cluster, with a shell and a web server. */
const IMAGE = "registry.example.org/busybox:1.37";
const WEB = "app=web";
const NODE_PORT = 30_080;

/** Each pod says its name at / and who has asked in its log. */
const MANIFEST = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: ${IMAGE}
          command: [sh, -c, "hostname >/srv/index.html; echo serving; exec busybox httpd -f -vv -p 8080 -h /srv"]
          readinessProbe: {httpGet: {port: 8080}, timeoutSeconds: 30}
          volumeMounts: [{name: srv, mountPath: /srv}]
      volumes: [{name: srv, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080, nodePort: ${NODE_PORT}}]
`;

const world = new ExtensionWorld("cluster");
let cluster: ClusterLab;

removeLabOnSignal(NAME);

before(
  async () => {
    await world.make();
    await world.publishRecipe("kubernetes", "--version", VERSION);
    await world.publishRecipe("cni");
    cluster = await ClusterLab.up(NAME, world, VERSION);
    await cluster.apply(world.directory, MANIFEST);
  },
  { timeout: 120 * MINUTES },
);

after(async () => await ashlar("lab", "down", "--name", NAME));

test("both are ready, each at its address and with pods' addresses of its own", { timeout: 20 * MINUTES }, async () => {
  const nodes = await cluster.nodes();
  assert.deepEqual(
    nodes.map(({ name, isReady, internalAddress, kubeletVersion }) => [name, isReady, internalAddress, kubeletVersion]),
    NODES.map((name, index) => [name, true, `10.90.0.${11 + index}`, VERSION]),
  );
  assert.equal(new Set(nodes.map(({ podNetwork }) => podNetwork)).size, 2);
  assert.ok(nodes.every(({ podNetwork }) => podNetwork?.startsWith("10.244.") === true));
});

test("members of one class are proven to be one identity", { timeout: 60 * MINUTES }, async () => await assertProven());

test("a pod on each node; from each, the other is reached", { timeout: 60 * MINUTES }, async () => {
  const pods = await readyPods();
  assert.deepEqual(new Set(pods.map(({ node }) => node)), new Set(NODES));
  for (const from of pods) {
    for (const to of pods) assert.equal(await ask(from, `${to.address}:8080`), to.name, `${from.node} to ${to.node}`);
  }
});

test(
  "a Service: its address from a pod, its port from this computer by either node",
  { timeout: 60 * MINUTES },
  async () => {
    const pods = await readyPods();
    const address = await cluster.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    for (const from of pods) await answersOfAll(pods, async () => await ask(from, `${address}:80`));
    for (const { name, servicePort } of cluster.lab.nodes) {
      assert.ok(servicePort !== undefined, name);
      await answersOfAll(pods, async () => (await (await fetch(`http://127.0.0.1:${servicePort}/`)).text()).trim());
    }
  },
);

test("logs and commands go through the API server to each kubelet", { timeout: 60 * MINUTES }, async () => {
  for (const { name } of await readyPods()) {
    assert.match(await cluster.kubectl("logs", name), /^serving\n[\s\S]*response:200/u);
    assert.equal((await cluster.kubectl("exec", name, "--", "busybox", "hostname")).trim(), name);
    assert.equal((await cluster.tryKubectl("exec", name, "--", "sh", "-c", "exit 7")).status, 7);
  }
});

test("what a kubelet keeps of logs and when it evicts is from /usr", { timeout: 20 * MINUTES }, async () => {
  for (const name of NODES) {
    const answer = await cluster.kubectl("get", "--raw", `/api/v1/nodes/${name}/proxy/configz`);
    const { kubeletconfig }: { kubeletconfig: Record<string, unknown> } = JSON.parse(answer);
    assert.equal(kubeletconfig["containerLogMaxSize"], "10Mi");
    assert.equal(kubeletconfig["containerLogMaxFiles"], 5);
    assert.deepEqual(kubeletconfig["evictionHard"], {
      "memory.available": "100Mi",
      "nodefs.available": "15%",
      "nodefs.inodesFree": "5%",
      "imagefs.available": "15%",
      "imagefs.inodesFree": "5%",
    });
    assert.equal(kubeletconfig["staticPodPath"], undefined, "nothing runs but what the API server says");
  }
});

test("an audit asks both by a pod, and leaves nothing", { timeout: 120 * MINUTES }, async () => {
  const { kubectl = "", environment } = cluster.lab.cluster ?? {};
  const report = await withTemporaryDirectory(async (directory) => {
    await symlink(kubectl, join(directory, "kubectl"));
    const env = { ...environment, PATH: `${directory}:${process.env["PATH"]}` };
    const words = ["audit", "--kubernetes", "--image", IMAGE, "--json"];
    const { stdout } = await run(join(ROOT, "ashlar"), words, { env, acceptStatus: [0, 1] });
    return JSON.parse(stdout.toString("utf8"));
  });
  assert.deepEqual(report.failed, []);
  assert.deepEqual(report.nodes.map(({ name }: { name: string }) => name).toSorted(), NODES);
  assert.ok(report.nodes.every(({ isByRoot, isComplete }: Record<string, boolean>) => isByRoot && isComplete));
  const label = ["-l", "app.kubernetes.io/name=ashlar-audit"];
  await until(async () => (await cluster.kubectl("get", "pods", "-A", ...label, "-o", "name")) === "" || undefined);
});

test("after a reboot the node is back by itself, with its pod, and proven", { timeout: 90 * MINUTES }, async () => {
  const earlier = await cluster.nodes();
  await ashlar("lab", "restart", "node-2", "--name", NAME);
  const node = await until(async () =>
    (await cluster.nodes()).find(({ name, isReady, bootId }) => {
      return name === "node-2" && isReady && earlier.every((each) => each.bootId !== bootId);
    }),
  );
  assert.equal(node.podNetwork, earlier.find(({ name }) => name === "node-2")?.podNetwork);
  const pods = await readyPods();
  for (const from of pods) {
    for (const to of pods) assert.equal(await ask(from, `${to.address}:8080`), to.name, `${from.node} to ${to.node}`);
  }
  const { output } = await cluster.lab.root("node-2", "systemctl show -P ConditionResult kubeadm.service");
  assert.equal(output, "no", "it need not join again");
  await assertProven();
});

test("with the lab its cluster goes", { timeout: 20 * MINUTES }, async () => {
  await ashlar("lab", "down", "--name", NAME);
  const left = await findProcesses((argv) => argv.some((word) => word.includes(`/labs/${NAME}/`)));
  assert.deepEqual(left, []);
});

/** The pods of the DaemonSet once there is one on each node that has been seen to work since it was started. */
async function readyPods(): Promise<readonly KubePod[]> {
  return await until(async () => {
    const pods = await cluster.pods(WEB);
    if (pods.length !== NODES.length || !pods.every(({ isReady, address }) => isReady && address !== undefined))
      return undefined;
    for (const { address } of pods) {
      // Ready may still be what the API server has last heard of a node that has just gone.
      const { status } = await cluster.tryKubectl("exec", pods[0]?.name ?? "", "--", ...fetching(`${address}:8080`));
      if (status !== 0) return undefined;
    }
    return pods;
  });
}

async function ask(from: KubePod, address: string): Promise<string> {
  return (await cluster.kubectl("exec", from.name, "--", ...fetching(address))).trim();
}

function fetching(address: string): string[] {
  return ["busybox", "wget", "-q", "-T", "60", "-O", "-", `http://${address}/`];
}

/** Asks until each pod has answered: a Service chooses one of them by chance. */
async function answersOfAll(pods: readonly KubePod[], question: () => Promise<string>): Promise<void> {
  const missing = new Set(pods.map(({ name }) => name));
  while (missing.size > 0) {
    const answer = await question();
    assert.ok(
      pods.some(({ name }) => name === answer),
      answer,
    );
    missing.delete(answer);
  }
}

async function assertProven(): Promise<void> {
  const fleet = await cluster.prove();
  assert.ok(
    fleet.nodes.every((node) => levelWithNextBoot(node) === "proven"),
    JSON.stringify(fleet.nodes),
  );
  assert.deepEqual([fleet.identities, fleet.nodes.length], [1, 2]);
}
