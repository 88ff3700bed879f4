import { join } from "node:path";
import type { LabPaths } from "../lab-paths.ts";

/** Where a lab's cluster keeps its things. All paths are absolute. */
export type ClusterPaths = {
  readonly directory: string;
  /** Keys and certificates, as kubeadm makes them. */
  readonly pki: string;
  readonly kubeconfigs: string;
  /** What a person and `ashlar lab kubectl` use. */
  readonly kubeconfig: string;
  /** What kubectl remembers of API servers; its own place is the user's home, and goes by the port alone. */
  readonly kubectlCache: string;
  /** May do everything, whatever the cluster's roles say. */
  readonly superAdmin: string;
  readonly etcdData: string;
  readonly egress: string;
  /** What the lab's servers are started with. */
  readonly serversConfig: string;
  /** kubeadm's configuration: with the place of the keys, and as the nodes get it. */
  readonly kubeadmConfig: string;
  readonly uploadedConfig: string;
  readonly logs: string;
  readonly etcdSocket: string;
  readonly etcdPeerSocket: string;
  readonly switchSocket: string;
  readonly proxySocket: string;
};

export function clusterPaths(lab: LabPaths): ClusterPaths {
  const directory = join(lab.directory, "cluster");
  const kubeconfigs = join(directory, "kubeconfigs");
  return {
    directory,
    pki: join(directory, "pki"),
    kubeconfigs,
    kubeconfig: join(directory, "kubeconfig"),
    kubectlCache: join(directory, "kubectl-cache"),
    superAdmin: join(kubeconfigs, "super-admin.conf"),
    etcdData: join(directory, "etcd"),
    egress: join(directory, "egress.yaml"),
    serversConfig: join(directory, "servers.json"),
    kubeadmConfig: join(directory, "kubeadm.yaml"),
    uploadedConfig: join(directory, "kubeadm-uploaded.yaml"),
    logs: join(directory, "logs"),
    etcdSocket: join(lab.runtime, "etcd"),
    etcdPeerSocket: join(lab.runtime, "etcd-peer"),
    switchSocket: join(lab.runtime, "switch"),
    proxySocket: join(lab.runtime, "kubelets"),
  };
}

/** For kubectl, so that nothing is read or written outside the lab. */
export function kubectlEnvironment(paths: ClusterPaths): {
  readonly KUBECONFIG: string;
  readonly KUBECACHEDIR: string;
} {
  return { KUBECONFIG: paths.kubeconfig, KUBECACHEDIR: paths.kubectlCache };
}
