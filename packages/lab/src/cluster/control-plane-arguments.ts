import { join } from "node:path";
import { HOST_ADDRESS, POD_NETWORK, SERVICE_NETWORK } from "./addresses.ts";
import type { ClusterPaths } from "./cluster-paths.ts";
import type { ClusterState, ControlPlaneProgram } from "./cluster-state.ts";

/**
 * The arguments of each program. A machine of the lab reaches every port of this computer's 127.0.0.1, so only what asks
 * for a certificate or a token listens on one: the API server. etcd is on sockets that only this user can open.
 */
export function controlPlaneArguments(
  program: ControlPlaneProgram,
  paths: ClusterPaths,
  state: Pick<ClusterState, "apiPort">,
): string[] {
  const options = OPTIONS[program](paths, state);
  return Object.entries(options).map(([name, value]) => `--${name}=${value}`);
}

type Options = Readonly<Record<string, string>>;

const OPTIONS: Readonly<
  Record<ControlPlaneProgram, (paths: ClusterPaths, state: Pick<ClusterState, "apiPort">) => Options>
> = {
  etcd: (paths) => ({
    name: "lab",
    "data-dir": paths.etcdData,
    "listen-client-urls": `unix://${paths.etcdSocket}`,
    "listen-peer-urls": `unix://${paths.etcdPeerSocket}`,
    // It wants addresses to tell others; there are no others, and nothing listens there.
    "advertise-client-urls": "http://127.0.0.1:2379",
    "initial-advertise-peer-urls": "http://127.0.0.1:2380",
    "initial-cluster": "lab=http://127.0.0.1:2380",
    // Losing the last writes when the host loses power is fine here: a lab is made anew in minutes.
    "unsafe-no-fsync": "true",
  }),
  "kube-apiserver": (paths, { apiPort }) => {
    const pki = (name: string): string => join(paths.pki, name);
    return {
      "bind-address": "127.0.0.1",
      "secure-port": String(apiPort),
      // Where the machines reach it: the endpoint of the Service `kubernetes`.
      "advertise-address": HOST_ADDRESS,
      "etcd-servers": `unix://${paths.etcdSocket}`,
      "client-ca-file": pki("ca.crt"),
      "tls-cert-file": pki("apiserver.crt"),
      "tls-private-key-file": pki("apiserver.key"),
      "kubelet-client-certificate": pki("apiserver-kubelet-client.crt"),
      "kubelet-client-key": pki("apiserver-kubelet-client.key"),
      "kubelet-preferred-address-types": "InternalIP",
      "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
      "service-account-key-file": pki("sa.pub"),
      "service-account-signing-key-file": pki("sa.key"),
      "requestheader-client-ca-file": pki("front-proxy-ca.crt"),
      "requestheader-allowed-names": "front-proxy-client",
      "requestheader-extra-headers-prefix": "X-Remote-Extra-",
      "requestheader-group-headers": "X-Remote-Group",
      "requestheader-username-headers": "X-Remote-User",
      "proxy-client-cert-file": pki("front-proxy-client.crt"),
      "proxy-client-key-file": pki("front-proxy-client.key"),
      "authorization-mode": "Node,RBAC",
      "enable-admission-plugins": "NodeRestriction",
      "enable-bootstrap-token-auth": "true",
      "allow-privileged": "true",
      "service-cluster-ip-range": SERVICE_NETWORK,
      "egress-selector-config-file": paths.egress,
    };
  },
  "kube-controller-manager": (paths) => {
    return {
      ...clientOfApi(paths, "controller-manager"),
      "client-ca-file": join(paths.pki, "ca.crt"),
      "requestheader-client-ca-file": join(paths.pki, "front-proxy-ca.crt"),
      "root-ca-file": join(paths.pki, "ca.crt"),
      "cluster-signing-cert-file": join(paths.pki, "ca.crt"),
      "cluster-signing-key-file": join(paths.pki, "ca.key"),
      "service-account-private-key-file": join(paths.pki, "sa.key"),
      "use-service-account-credentials": "true",
      controllers: "*,bootstrapsigner,tokencleaner",
      "allocate-node-cidrs": "true",
      "cluster-cidr": POD_NETWORK,
      "service-cluster-ip-range": SERVICE_NETWORK,
      // A node that is only slow is not gone; by default it is after 50 s of silence.
      "node-monitor-grace-period": "2m30s",
    };
  },
  "kube-scheduler": (paths) => clientOfApi(paths, "scheduler"),
};

/** Nobody asks these programs anything: what they do is seen in the API. There is one of each. */
function clientOfApi({ kubeconfigs }: ClusterPaths, name: string): Options {
  const kubeconfig = join(kubeconfigs, `${name}.conf`);
  return {
    kubeconfig,
    "authentication-kubeconfig": kubeconfig,
    "authorization-kubeconfig": kubeconfig,
    "secure-port": "0",
    "leader-elect": "false",
  };
}
