import { stringify } from "yaml";
import { HOST_ADDRESS, LAB_CARD, nodeAddress, POD_NETWORK } from "./addresses.ts";

/** What a node has to know of its lab's cluster. */
export type ClusterMembership = {
  readonly apiPort: number;
  readonly imagePort: number;
  readonly token: string;
  /** `sha256:` and the digest of the CA's key. */
  readonly caHash: string;
};

export type NodeFile = { readonly path: string; readonly text: string; readonly mode: number };

const JOIN_FILE = "/etc/kubernetes/join.yaml";

const PUBLIC = 0o644;
const SECRET = 0o600;

/**
 * What a lab's cluster puts into a node's own part: the node's address, which cluster it joins and with which token, and
 * where its images are. So the class part is the same for all nodes, in any lab, and so is the identity that is measured
 * from it. A class whose `kubeadm.service` joins another cluster joins the lab's; one that joins in another way can use
 * `kubeadm join --config /etc/kubernetes/join.yaml`.
 */
export function clusterFiles(nodeName: string, cluster: ClusterMembership): NodeFile[] {
  const server = `${HOST_ADDRESS}:${cluster.apiPort}`;
  return [
    { path: "/etc/systemd/network/10-lab.network", text: networkUnit(nodeAddress(nodeName)), mode: PUBLIC },
    { path: "/etc/default/kubelet", text: `KUBELET_EXTRA_ARGS=--node-ip=${nodeAddress(nodeName)}\n`, mode: PUBLIC },
    { path: JOIN_FILE, text: joinDocument(server, cluster), mode: SECRET },
    { path: "/etc/systemd/system/kubeadm.service.d/20-lab.conf", text: JOIN_DROP_IN, mode: PUBLIC },
    {
      path: "/etc/ashlar/cluster.yaml",
      text: stringify({ server, caHashes: [cluster.caHash] }),
      mode: PUBLIC,
    },
    {
      path: "/etc/containerd/certs.d/_default/hosts.toml",
      text: `[host."http://${HOST_ADDRESS}:${cluster.imagePort}"]\ncapabilities = ["pull", "resolve"]\n`,
      mode: PUBLIC,
    },
  ];
}

/**
 * Pods of other nodes are on the lab's own network: each node answers there for the addresses that it has a route to, its
 * own pods. So nothing has to run for it.
 */
function networkUnit(address: string): string {
  return `[Match]
Name=${LAB_CARD}
[Network]
Address=${address}/24
IPv4ProxyARP=yes
LinkLocalAddressing=no
[Route]
Destination=${POD_NETWORK}
Scope=link
`;
}

const JOIN_DROP_IN = `[Service]
ExecStart=
ExecStart=/usr/bin/kubeadm join --config ${JOIN_FILE}
`;

const JOIN_LIMIT = "30m0s";

function joinDocument(server: string, { token, caHash }: ClusterMembership): string {
  return stringify({
    apiVersion: "kubeadm.k8s.io/v1beta4",
    kind: "JoinConfiguration",
    discovery: { bootstrapToken: { apiServerEndpoint: server, token, caCertHashes: [caHash] } },
    nodeRegistration: { criSocket: "unix:///run/containerd/containerd.sock" },
    // An emulated node is slow. kubeadm that gave up would stop the kubelet, and begin anew.
    timeouts: {
      discovery: JOIN_LIMIT,
      kubeletHealthCheck: JOIN_LIMIT,
      tlsBootstrap: JOIN_LIMIT,
      kubernetesAPICall: "5m0s",
    },
  });
}
