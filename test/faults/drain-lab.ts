/** A real API server without a node: nodes and pods are objects alone, and the test does what kubelets would. */
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProcesses, run, startDaemon, waitForEnd, type FoundProcess } from "@ashlar/host";
import { openLab, type Lab, type LabClusterAccess } from "@ashlar/lab";
import { ashlar, OUT, ROOT } from "../e2e/world.ts";

const START_TIMEOUT_MS = 600_000;
const MAX_READY_TRIES = 300;

export type PodChange = {
  readonly isOwned?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly volumes?: readonly object[];
  /** With none the API server lets a pod go at once; with some it waits for a kubelet. */
  readonly graceSeconds?: number;
};

export class DrainLab {
  readonly access: LabClusterAccess;
  /** For what a test writes: empty at first. */
  readonly directory: string;
  readonly #port: number;
  #owner = "";

  private constructor(access: LabClusterAccess, directory: string, port: number) {
    this.access = access;
    this.directory = directory;
    this.#port = port;
  }

  static async up(name: string): Promise<DrainLab> {
    const directory = join(OUT, name);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await ashlar("lab", "down", "--name", name);
    await ashlar("lab", "up", "--name", name, "--cluster", "--workers", "0");
    const lab: Lab = await openLab(name);
    const status = await lab.clusterStatus();
    if (lab.cluster === undefined || status === undefined) throw new Error(`lab ${name} has no cluster`);
    const made = new DrainLab(lab.cluster, directory, Number(new URL(status.server).port));
    // The admission of pods needs it, and the controller manager makes it in its own time.
    await made.kubectl("wait", "--for=create", "--timeout=10m", "serviceaccount/default");
    await made.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "owner" } });
    made.#owner = await made.kubectl("get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}");
    return made;
  }

  /** Where a rollout of one node keeps what it has done. */
  recordOf(name: string): string {
    return join(this.directory, `${name}.json`);
  }

  get server(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** Where its keys and certificates are, as kubeadm makes them. */
  get pki(): string {
    return join(this.access.kubeconfig, "..", "pki");
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(this.access.kubectl, args, { env: this.access.environment });
    return stdout.toString("utf8");
  }

  /** What `deploy` has for a cluster: `-k` for all of it, `-f` for the custom resources alone. */
  async apply(option: "-k" | "-f", path: string): Promise<void> {
    await this.kubectl("apply", option, join(ROOT, path));
    await this.kubectl("wait", "--for=condition=Established", "--timeout=5m", "crd", "--all");
  }

  async create(...items: readonly object[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    await run(this.access.kubectl, ["create", "-f", "-"], { env: this.access.environment, input });
  }

  /** Its controller is one that nothing acts on, so that nobody makes the pod anew. */
  pod(name: string, nodeName: string, app: string, change: PodChange = {}): object {
    const { annotations = {}, volumes = [], graceSeconds = 0, isOwned = true } = change;
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: this.#owner, controller: true };
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: { app }, annotations, ownerReferences: isOwned ? [owner] : [] },
      spec: podSpec({ nodeName, volumes, terminationGracePeriodSeconds: graceSeconds }),
    };
  }

  /** Says what a kubelet says of its pods, so that budgets count them. */
  async runPods(...names: readonly string[]): Promise<void> {
    const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    for (const name of names) await this.#patchStatus(`pod/${name}`, status);
  }

  /** Waits until the controller of budgets has counted. */
  async budgetCounts(name: string, healthy: number): Promise<void> {
    const what = `jsonpath={.status.currentHealthy}=${healthy}`;
    await this.kubectl("wait", `--for=${what}`, "--timeout=10m", `poddisruptionbudget/${name}`);
  }

  /** What a kubelet reports after a boot. */
  async reportBoot(node: string, bootId: string): Promise<void> {
    const conditions = [{ type: "Ready", status: "True", reason: "KubeletReady" }];
    await this.#patchStatus(`node/${node}`, { conditions, nodeInfo: { bootID: bootId }, allocatable: { pods: "110" } });
  }

  /** The annotation that says whose cordon it is, and whether it is one. */
  async cordonOf(node: string): Promise<string> {
    const paths = "{.spec.unschedulable} {.metadata.annotations.ashlar\\.dev/cordoned-for}";
    return (await this.kubectl("get", "node", node, "-o", `jsonpath=${paths}`)).trim();
  }

  /** Kills the API server, as a computer does that loses its power. Gives how it comes back. */
  async killApiServer(): Promise<() => Promise<void>> {
    const server = await this.#findApiServer();
    process.kill(server.pid, "SIGKILL");
    await waitForEnd(server, START_TIMEOUT_MS);
    const logPath = join(this.access.kubeconfig, "..", "logs", "kube-apiserver.log");
    return async () => await this.#startApiServer(server, logPath);
  }

  /** Stops it where it is: connections stay, and nobody answers. Gives how it goes on. */
  async freezeApiServer(): Promise<() => Promise<void>> {
    const { pid } = await this.#findApiServer();
    process.kill(pid, "SIGSTOP");
    return async () => {
      process.kill(pid, "SIGCONT");
      for (let tries = 0; !(await this.#isReady()); tries += 1) {
        if (tries === MAX_READY_TRIES) throw new Error("the API server has not become ready");
        await sleep(1000);
      }
    };
  }

  async #findApiServer(): Promise<FoundProcess> {
    const mark = join(this.access.kubeconfig, "..");
    const found = await findProcesses(
      ([program = "", ...args]) => program.endsWith("/kube-apiserver") && args.some((arg) => arg.includes(`${mark}/`)),
    );
    const [server, ...others] = found;
    if (server === undefined || others.length > 0) throw new Error(`expected one API server, found ${found.length}`);
    return server;
  }

  async #startApiServer({ argv: [program = "", ...args] }: FoundProcess, logPath: string): Promise<void> {
    await startDaemon(program, args, {
      logPath,
      isReady: async () => (await accepts(this.#port)) && (await this.#isReady()),
      timeoutMs: START_TIMEOUT_MS,
    });
  }

  async #isReady(): Promise<boolean> {
    const words = ["get", "--raw", "/readyz"];
    const { status } = await run(this.access.kubectl, words, { env: this.access.environment, acceptStatus: [0, 1] });
    return status === 0;
  }

  async #patchStatus(what: string, status: object): Promise<void> {
    await this.kubectl("patch", what, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status }));
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection({ host: "127.0.0.1", port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export function podSpec(more: object): object {
  const containers = [{ name: "main", image: "example.org/none" }];
  return { tolerations: [{ operator: "Exists" }], automountServiceAccountToken: false, containers, ...more };
}

export function nodeNamed(name: string, labels: Readonly<Record<string, string>> = {}): object {
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels } };
}

export function budget(name: string, minAvailable: number, app: string): object {
  const spec = { minAvailable, selector: { matchLabels: { app } } };
  return { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name }, spec };
}
