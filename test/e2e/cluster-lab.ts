/** Workers of one class in a cluster of their own, and its administrator. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, type RunResult } from "@ashlar/host";
import type { FleetVerdict } from "@ashlar/identity";
import { Cluster, type KubeNode, type KubePod } from "@ashlar/kube";
import { type Lab, openLab } from "@ashlar/lab";
import type { ExtensionWorld } from "./extension-lab.ts";
import { ashlar, prove, ROOT } from "./world.ts";

const POLL_MS = 5000;
/** kubectl's own, and what a program in a container ends with. */
const ANY_STATUS = Array.from({ length: 256 }, (_, status) => status);

export class ClusterLab {
  readonly lab: Lab;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  static async up(name: string, world: ExtensionWorld, version: string, workers = 2): Promise<ClusterLab> {
    await ashlar("lab", "down", "--name", name);
    const cluster = ["--cluster", "--workers", String(workers), "--kubernetes", version];
    const config = ["--config", join(ROOT, "examples/worker.bu"), "--image", world.image];
    const repository = ["--repo", world.repository, "--keys", world.keys];
    await ashlar("lab", "up", "--name", name, ...cluster, ...config, ...repository);
    return await ClusterLab.open(name);
  }

  static async open(name: string): Promise<ClusterLab> {
    return new ClusterLab(await openLab(name));
  }

  /** Runs kubectl, which must succeed. */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.tryKubectl(...args);
    if (status === 0) return stdout.toString("utf8");
    throw new Error(`kubectl ${args.join(" ")}: status ${status}: ${stderr}`);
  }

  async tryKubectl(...args: readonly string[]): Promise<RunResult> {
    const words = ["lab", "kubectl", "--name", this.lab.name, "--", ...args];
    return await run(join(ROOT, "ashlar"), words, { acceptStatus: ANY_STATUS });
  }

  async apply(directory: string, manifest: string): Promise<void> {
    const path = join(directory, "manifest.yaml");
    await writeFile(path, manifest);
    await this.kubectl("apply", "-f", path);
  }

  async nodes(): Promise<readonly KubeNode[]> {
    using server = await this.#open();
    return await server.nodes(new AbortController().signal);
  }

  /** Pods that are not being deleted. */
  async pods(selector: string): Promise<readonly KubePod[]> {
    using server = await this.#open();
    const pods = await server.pods(selector, new AbortController().signal);
    return pods.filter(({ isTerminating }) => !isTerminating);
  }

  async prove(): Promise<FleetVerdict> {
    return (await prove("--lab", this.lab.name)).fleet;
  }

  async #open(): Promise<Cluster> {
    return await Cluster.open({ kubeconfig: this.lab.cluster?.kubeconfig });
  }
}

/** Asks again until the answer is there. Emulated nodes take minutes for what is a second elsewhere: the test's own limit ends it. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(POLL_MS);
  }
}
