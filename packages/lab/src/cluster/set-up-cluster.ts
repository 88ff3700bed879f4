/** What kubeadm does with a cluster whose API server has just become ready, so that nodes can join it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, throwIfInterrupted, type RunOptions, type RunResult } from "@ashlar/host";
import { HOST_ADDRESS } from "./addresses.ts";
import { kubectlEnvironment, type ClusterPaths } from "./cluster-paths.ts";
import type { ClusterState } from "./cluster-state.ts";
import { withServer } from "./credentials.ts";
import { kubeadmDocuments } from "./kubeadm-documents.ts";

const POLL_MS = 250;
const DNS_IMAGE = "/coredns";

export type SetUpOptions = {
  readonly token: string;
  /** Throws when a program of the control plane has ended: what it should do is not waited for then. */
  readonly requireControlPlane: () => Promise<void>;
  readonly signal?: AbortSignal | undefined;
};

export async function setUpCluster(
  paths: ClusterPaths,
  state: ClusterState,
  { token, requireControlPlane, signal }: SetUpOptions,
): Promise<void> {
  const tools = new ClusterTools(paths, state, signal);
  await tools.bindAdministrators();
  await tools.phase("upload-config", "kubeadm");
  await tools.uploadKubeletConfig(token);
  await tools.phase("bootstrap-token");
  await tools.pointNodesAtApiServer(token);
  await tools.phase("addon", "kube-proxy");
  if (state.images.some(({ reference }) => reference.includes(DNS_IMAGE))) await tools.phase("addon", "coredns");
  while (!(await tools.isSigned(token))) {
    await requireControlPlane();
    await sleep(POLL_MS);
  }
  await requireControlPlane();
}

/** kubeadm and kubectl of the lab, as whoever may do everything. */
class ClusterTools {
  readonly #paths: ClusterPaths;
  readonly #state: ClusterState;
  readonly #signal: AbortSignal | undefined;

  constructor(paths: ClusterPaths, state: ClusterState, signal: AbortSignal | undefined) {
    this.#paths = paths;
    this.#state = state;
    this.#signal = signal;
  }

  async phase(...words: readonly string[]): Promise<void> {
    await this.#kubeadm(words, this.#paths.uploadedConfig);
  }

  /** kubeadm does that beside its phases; without it the administrator's kubeconfig may do nothing. */
  async bindAdministrators(): Promise<void> {
    const binding = ["clusterrolebinding", "kubeadm:cluster-admins"];
    const { stdout } = await this.#kubectl(["get", "clusterrolebindings", "-o", "name"]);
    if (stdout.includes("kubeadm:cluster-admins")) return;
    await this.#kubectl(["create", ...binding, "--clusterrole=cluster-admin", "--group=kubeadm:cluster-admins"]);
  }

  /**
   * This phase ends by looking for the Node of its own control plane, which does not exist, for as long as one call to the
   * API may take, and then fails. So it gets little time; whether it has done its work is looked at, and when the machine
   * was too slow for that it gets twice as much.
   */
  async uploadKubeletConfig(token: string): Promise<void> {
    const { version, apiPort } = this.#state;
    const config = join(this.#paths.directory, "kubeadm-kubelet.yaml");
    for (let apiCallSeconds = 1; ; apiCallSeconds *= 2) {
      const options = { version, apiPort, token, certificatesDir: undefined, apiCallSeconds };
      await writeFile(config, kubeadmDocuments(options), { mode: 0o600 });
      const failure = await this.#kubeadm(["upload-config", "kubelet"], config).then(
        () => undefined,
        (error: unknown) => error,
      );
      throwIfInterrupted(this.#signal);
      if (await this.#hasKubeletConfig()) return;
      if (apiCallSeconds > MAX_API_CALL_SECONDS) throw failure;
    }
  }

  async #hasKubeletConfig(): Promise<boolean> {
    const names = ["configmap/kubelet-config", "role/kubeadm:kubelet-config", "rolebinding/kubeadm:kubelet-config"];
    const { status } = await this.#kubectl(["--namespace=kube-system", "get", ...names], { acceptStatus: [0, 1] });
    return status === 0;
  }

  /** kubeadm wrote down the address that it has used itself, which on a node is the node. */
  async pointNodesAtApiServer(token: string): Promise<void> {
    const question = ["--namespace=kube-public", "get", "configmap/cluster-info", "-o", "jsonpath={.data.kubeconfig}"];
    const { stdout } = await this.#kubectl(question);
    const kubeconfig = withServer(stdout.toString("utf8"), "127.0.0.1", HOST_ADDRESS, this.#state.apiPort);
    // Without the signature, if it has been made over the other address. A patch, since whoever signs writes meanwhile.
    const patch = JSON.stringify({ data: { kubeconfig, [signatureOf(token)]: null } });
    await this.#kubectl([
      "--namespace=kube-public",
      "patch",
      "configmap/cluster-info",
      "--type=merge",
      "--patch",
      patch,
    ]);
  }

  /** Nodes believe what cluster-info says when it is signed with their token; the controller manager does that. */
  async isSigned(token: string): Promise<boolean> {
    throwIfInterrupted(this.#signal);
    const path = `{.data.${signatureOf(token)}}`;
    const question = ["--namespace=kube-public", "get", "configmap/cluster-info", "-o", `jsonpath=${path}`];
    return (await this.#kubectl(question)).stdout.length > 0;
  }

  async #kubeadm(words: readonly string[], config: string): Promise<void> {
    const args = ["init", "phase", ...words, "--config", config, "--kubeconfig", this.#paths.superAdmin];
    await run(this.#state.programs.kubeadm, args, { signal: this.#signal });
  }

  async #kubectl(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const all = ["--kubeconfig", this.#paths.superAdmin, ...args];
    const env = kubectlEnvironment(this.#paths);
    return await run(this.#state.programs.kubectl, all, { signal: this.#signal, env, ...options });
  }
}

const MAX_API_CALL_SECONDS = 60;

/** The member of cluster-info that holds what a token has signed. */
function signatureOf(token: string): string {
  return `jws-kubeconfig-${token.split(".", 1)[0]}`;
}
