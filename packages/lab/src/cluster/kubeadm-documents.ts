import { stringify } from "yaml";
import { HOST_ADDRESS, POD_NETWORK, SERVICE_NETWORK } from "./addresses.ts";

export type KubeadmOptions = {
  readonly version: string;
  readonly apiPort: number;
  readonly token: string;
  /** Undefined for what the cluster keeps of it: nodes would take the place for one of theirs. */
  readonly certificatesDir: string | undefined;
  /** How long kubeadm asks the API server about one thing. */
  readonly apiCallSeconds: number;
};

const API_VERSION = "kubeadm.k8s.io/v1beta4";

/**
 * kubeadm's configuration of a control plane whose programs the lab starts itself (kubeadm's reference, "v1beta4").
 * Everything is said that kubeadm would look for on this computer or on the Internet otherwise.
 */
export function kubeadmDocuments(options: KubeadmOptions): string {
  const { version, apiPort, token, certificatesDir, apiCallSeconds } = options;
  const documents = [
    {
      apiVersion: API_VERSION,
      kind: "InitConfiguration",
      localAPIEndpoint: { advertiseAddress: HOST_ADDRESS, bindPort: apiPort },
      nodeRegistration: { name: "lab", criSocket: "unix:///run/containerd/containerd.sock" },
      // A lab may be older than a day when a node has to join anew. It ends with the lab.
      bootstrapTokens: [
        {
          token,
          ttl: "0s",
          usages: ["signing", "authentication"],
          groups: ["system:bootstrappers:kubeadm:default-node-token"],
        },
      ],
      timeouts: { kubernetesAPICall: `${apiCallSeconds}s` },
    },
    {
      apiVersion: API_VERSION,
      kind: "ClusterConfiguration",
      clusterName: "lab",
      kubernetesVersion: version,
      controlPlaneEndpoint: `${HOST_ADDRESS}:${apiPort}`,
      networking: { podSubnet: POD_NETWORK, serviceSubnet: SERVICE_NETWORK, dnsDomain: "cluster.local" },
      apiServer: { certSANs: ["127.0.0.1", HOST_ADDRESS, "localhost"] },
      // Not where etcd is: kubeadm has to be told of one so that it makes no certificates for its own.
      etcd: { external: { endpoints: ["http://127.0.0.1:2379"] } },
      ...(certificatesDir === undefined ? {} : { certificatesDir }),
    },
    { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", cgroupDriver: "systemd" },
    {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      mode: "nftables",
      // On the card that this computer reaches, too: with nftables, NodePorts are on a node's own address only.
      nodePortAddresses: ["0.0.0.0/0"],
    },
  ];
  return documents.map((document) => stringify(document)).join("---\n");
}

/** A bootstrap token (Kubernetes' reference, "Authenticating with Bootstrap Tokens") of that many random bytes. */
export function tokenOf(random: Uint8Array): string {
  const text = Array.from(random, (byte) => TOKEN_LETTERS[byte % TOKEN_LETTERS.length]).join("");
  return `${text.slice(0, TOKEN_ID_CHARACTERS)}.${text.slice(TOKEN_ID_CHARACTERS, TOKEN_CHARACTERS)}`;
}

/** 32 of the 36 letters: each byte gives one of them with the same chance. */
const TOKEN_LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
const TOKEN_ID_CHARACTERS = 6;
export const TOKEN_CHARACTERS = 22;

/** How the API server reaches kubelets: through the lab's proxy. */
export function egressDocument(proxySocket: string): string {
  return stringify({
    apiVersion: "apiserver.k8s.io/v1beta1",
    kind: "EgressSelectorConfiguration",
    egressSelections: [
      {
        name: "cluster",
        connection: { proxyProtocol: "HTTPConnect", transport: { uds: { udsName: proxySocket } } },
      },
    ],
  });
}
