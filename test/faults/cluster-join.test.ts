/** What keeps a worker from joining, or breaks while it works: it says why, stays proven, and gets on by itself once it can. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { levelWithNextBoot } from "@ashlar/identity";
import { ClusterLab, until } from "../e2e/cluster-lab.ts";
import { ExtensionWorld } from "../e2e/extension-lab.ts";
import { ashlar, removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "e2e-join";
const NODE = "node-1";
const VERSION = "v1.33.4";
const JOIN = "/etc/kubernetes/join.yaml";
const IMAGE = "registry.example.org/busybox:1.37";

const world = new ExtensionWorld("join");
let cluster: ClusterLab;

removeLabOnSignal(NAME);

before(
  async () => {
    await world.make();
    await world.publishRecipe("kubernetes", "--version", VERSION);
    await world.publishRecipe("cni");
    cluster = await ClusterLab.up(NAME, world, VERSION, 1);
    // kubeadm asks again for as long as this; the unit then tries it anew.
    await onNode(`sed -i 's/discovery: [0-9].*/discovery: 1m0s/' ${JOIN} && cp ${JOIN} /run/join.yaml`);
  },
  { timeout: 120 * MINUTES },
);

after(async () => await ashlar("lab", "down", "--name", NAME));

type Fault = {
  readonly what: string;
  /** On the node, before it tries to join. */
  readonly spoil: string;
  /** In the cluster, again and again until the node has failed. */
  readonly keepSpoiling?: () => Promise<void>;
  /** What the unit's log says then. */
  readonly reason: RegExp;
  /** On the node. It is not told to try again. */
  readonly mend: string;
};

const FAULTS: readonly Fault[] = [
  {
    what: "its token has expired",
    spoil: `sed -i 's/token: .*/token: abcdef.0123456789abcdef/' ${JOIN}`,
    reason: /JWS signature .*"abcdef"/u,
    mend: `cp /run/join.yaml ${JOIN}`,
  },
  {
    what: "the cluster's CA is another one",
    spoil: `sed -i 's/sha256:[0-9a-f]*/sha256:${"0".repeat(64)}/' ${JOIN}`,
    reason: /none of the public keys .* are pinned/u,
    mend: `cp /run/join.yaml ${JOIN}`,
  },
  {
    what: "the API server does not answer",
    spoil: `nft "table ip away { chain out { type filter hook output priority 0; ip daddr 10.0.2.2 tcp dport $(sed -n 's/.*apiServerEndpoint: .*:\\([0-9]*\\).*/\\1/p' ${JOIN}) drop; }; }"`,
    reason: /couldn't validate the identity of the API Server|failed to request the cluster-info ConfigMap/u,
    mend: "nft delete table ip away",
  },
  {
    what: "another node has its name",
    spoil: ":",
    keepSpoiling: async () => {
      const manifest = `apiVersion: v1\nkind: Node\nmetadata: {name: ${NODE}}\n`;
      await cluster.apply(world.directory, manifest);
      const condition = { type: "Ready", status: "True", reason: "Test", message: "" };
      const patch = JSON.stringify({ status: { conditions: [condition] } });
      await cluster.kubectl("patch", "node", NODE, "--subresource=status", "--type=merge", "-p", patch);
    },
    reason: /a Node with name "node-1" and status "Ready" already exists/u,
    mend: ":",
  },
  {
    what: "its clock is years behind",
    spoil: "systemctl stop systemd-timesyncd.service && date --set=2020-01-01",
    reason: /certificate has expired or is not yet valid/u,
    mend: `date --set=@"$HOST_SECONDS"`,
  },
];

for (const { what, spoil, keepSpoiling, reason, mend } of FAULTS) {
  test(
    `a node does not join when ${what}: it says so, is proven, and joins later`,
    { timeout: 60 * MINUTES },
    async () => {
      await leave();
      await onNode(spoil);
      // The clock may be wrong by now: not the time but the place in the journal says what is new.
      const cursor = await onNode("journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p'");
      await keepSpoiling?.();
      await onNode("systemctl start --no-block kubeadm.service");
      await until(async () => {
        await keepSpoiling?.();
        const said = await onNode(`journalctl -u kubeadm.service --after-cursor='${cursor}' -o cat --no-pager`);
        return reason.test(said) ? said : undefined;
      });
      await assertProven();
      await onNode(`HOST_SECONDS=${Math.round(Date.now() / 1000)}; ${mend}`);
      if (keepSpoiling !== undefined) await cluster.kubectl("delete", "node", NODE);
      await isReady();
      await onNode("systemctl start systemd-timesyncd.service");
    },
  );
}

const POD = (name: string, more: string) => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  automountServiceAccountToken: false
  containers:
    - name: main
      image: ${IMAGE}
      command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"]
${more}`;

test("a killed containerd or kubelet starts again, and pods run on", { timeout: 60 * MINUTES }, async () => {
  await cluster.apply(world.directory, POD("steady", ""));
  await podIsReady("steady");
  for (const unit of ["containerd.service", "kubelet.service"]) {
    const killed = await onNode(`systemctl show -P ExecMainPID ${unit}`);
    await onNode(`systemctl kill --signal=KILL --kill-whom=main ${unit}`);
    await until(async () => {
      const now = await onNode(`systemctl show -P ExecMainPID,ActiveState ${unit}`);
      return now.includes("active") && !now.includes(killed) ? now : undefined;
    });
    await isReady();
    const [pod] = await cluster.pods("app=steady");
    assert.deepEqual([pod?.isReady, pod?.restarts], [true, 0], unit);
  }
  await assertProven();
});

test("pods wait for an image server that is away; the node is proven", { timeout: 60 * MINUTES }, async () => {
  const port = "$(sed -n 's/.*10.0.2.2:\\([0-9]*\\).*/\\1/p' /etc/containerd/certs.d/_default/hosts.toml)";
  await onNode(
    `nft "table ip away { chain out { type filter hook output priority 0; ip daddr 10.0.2.2 tcp dport ${port} reject with tcp reset; }; }"`,
  );
  await cluster.apply(world.directory, POD("waiting", "      imagePullPolicy: Always\n"));
  await until(async () => {
    const path = "jsonpath={.status.containerStatuses[0].state.waiting.reason}";
    const reason = await cluster.kubectl("get", "pod", "waiting", "-o", path);
    return /ImagePull/u.test(reason) ? reason : undefined;
  });
  await assertProven();
  await onNode("nft delete table ip away");
  await podIsReady("waiting");
});

test(
  "a node restarts while a pod is told to end: the pod is gone, the others are back",
  { timeout: 90 * MINUTES },
  async () => {
    await cluster.kubectl("delete", "pod", "waiting", "--grace-period=3000", "--wait=false");
    await ashlar("lab", "restart", NODE, "--name", NAME);
    await isReady();
    await podIsReady("steady");
    await until(async () => {
      const { status } = await cluster.tryKubectl("get", "pod", "waiting");
      return status === 0 ? undefined : status;
    });
  },
);

test("a node that was deleted while it was off is a member again", { timeout: 90 * MINUTES }, async () => {
  await ashlar("lab", "stop", NODE, "--name", NAME);
  await cluster.kubectl("delete", "node", NODE);
  await ashlar("lab", "start", NODE, "--name", NAME);
  await isReady();
  await assertProven();
});

/** As if the node had never joined. */
async function leave(): Promise<void> {
  await onNode(
    "systemctl stop kubeadm.service kubelet.service && rm -rf /etc/kubernetes/*.conf /etc/kubernetes/pki /var/lib/kubelet/pki/*",
  );
  await cluster.tryKubectl("delete", "node", NODE);
}

async function isReady(): Promise<void> {
  await until(async () => {
    const [node] = await cluster.nodes();
    const path = "jsonpath={.status.conditions[?(@.type=='Ready')].reason}";
    // Not what the test itself has said of it.
    if (node?.isReady !== true || (await cluster.kubectl("get", "node", NODE, "-o", path)) !== "KubeletReady")
      return undefined;
    return node;
  });
}

async function podIsReady(name: string): Promise<void> {
  await until(async () => (await cluster.pods(`app=${name}`)).find((pod) => pod.isReady));
}

async function assertProven(): Promise<void> {
  const { nodes } = await cluster.prove();
  assert.deepEqual(nodes.map(levelWithNextBoot), ["proven"], JSON.stringify(nodes));
}

/** Runs a shell script on the node as root, which must succeed. */
async function onNode(script: string): Promise<string> {
  const { status, output } = await cluster.lab.root(NODE, script);
  if (status === 0) return output;
  throw new Error(`${script}: status ${status}: ${output}`);
}
