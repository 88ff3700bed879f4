import assert from "node:assert/strict";
import { test } from "node:test";
import { declaredCluster } from "@ashlar/declaration";
import { parse } from "yaml";
import { clusterFiles, type ClusterMembership } from "./node-part.ts";

const CA_HASH = `sha256:${"ab".repeat(32)}`;
const MEMBERSHIP: ClusterMembership = {
  apiPort: 22_000,
  imagePort: 22_001,
  token: "abcdef.abcdefghijklmnop",
  caHash: CA_HASH,
};

function textOf(path: string, nodeName = "node-2"): string {
  return clusterFiles(nodeName, MEMBERSHIP).find((file) => file.path === path)?.text ?? "";
}

test("the node joins by a file that only root can read", () => {
  const join = clusterFiles("node-1", MEMBERSHIP).find(({ text }) => text.includes(MEMBERSHIP.token));
  assert.equal(join?.path, "/etc/kubernetes/join.yaml");
  assert.equal(join?.mode, 0o600);
  assert.deepEqual(parse(join?.text ?? ""), {
    apiVersion: "kubeadm.k8s.io/v1beta4",
    kind: "JoinConfiguration",
    discovery: {
      bootstrapToken: {
        apiServerEndpoint: "10.0.2.2:22000",
        token: "abcdef.abcdefghijklmnop",
        caCertHashes: [CA_HASH],
      },
    },
    nodeRegistration: { criSocket: "unix:///run/containerd/containerd.sock" },
    timeouts: { discovery: "30m0s", kubeletHealthCheck: "30m0s", tlsBootstrap: "30m0s", kubernetesAPICall: "5m0s" },
  });
});

test("after a reboot the node knows its cluster, whatever the class's line says", () => {
  const unit = `[Service]\nExecStart=/usr/bin/kubeadm join other.example:6443 --discovery-token-ca-cert-hash ${CA_HASH}\n`;
  const found = declaredCluster([{ path: "kubeadm.service", text: unit }], textOf("/etc/ashlar/cluster.yaml"));
  assert.deepEqual(found.problems, []);
  assert.deepEqual(found.cluster, { server: "10.0.2.2:22000", caHashes: [CA_HASH], path: "/etc/ashlar/cluster.yaml" });
});

test("the class's unit joins the lab's cluster", () => {
  assert.equal(
    textOf("/etc/systemd/system/kubeadm.service.d/20-lab.conf"),
    "[Service]\nExecStart=\nExecStart=/usr/bin/kubeadm join --config /etc/kubernetes/join.yaml\n",
  );
});

test("each node has its address; images come from the lab", () => {
  assert.match(textOf("/etc/systemd/network/10-lab.network", "node-1"), /^Address=10\.90\.0\.11\/24$/mu);
  assert.match(textOf("/etc/systemd/network/10-lab.network", "node-16"), /^Address=10\.90\.0\.26\/24$/mu);
  assert.equal(textOf("/etc/default/kubelet"), "KUBELET_EXTRA_ARGS=--node-ip=10.90.0.12\n");
  assert.match(textOf("/etc/containerd/certs.d/_default/hosts.toml"), /^\[host\."http:\/\/10\.0\.2\.2:22001"\]$/mu);
});
