/** Workers of one class in a cluster of their own, and its administrator. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, type RunResult } from "@ashlar/host";
import type { FleetVerdict } from "@ashlar/identity";
import { type Lab, openLab } from "@ashlar/lab";
import type { ExtensionWorld } from "./extension-lab.ts";
import { ashlar, prove, ROOT } from "./world.ts";

const POLL_MS = 5000;
/** kubectl's own, and what a program in a container ends with. */
const ANY_STATUS = Array.from({ length: 256 }, (_, status) => status);

type Conditions = readonly { readonly type: string; readonly status: string }[];

/** What is looked at of the API's lists (Kubernetes' API reference, v1.33). */
type NodeList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly podCIDR?: string };
    readonly status: {
      readonly conditions: Conditions;
      readonly addresses: readonly { readonly type: string; readonly address: string }[];
      readonly nodeInfo: { readonly bootID: string; readonly kubeletVersion: string };
    };
  }[];
};
type PodList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly spec: { readonly nodeName?: string };
    readonly status: { readonly podIP?: string; readonly conditions?: Conditions };
  }[];
};

export type ClusterNode = {
  readonly name: string;
  readonly ready: boolean;
  readonly address: string | undefined;
  readonly podNetwork: string | undefined;
  readonly bootId: string;
  readonly kubelet: string;
};

export type Pod = { readonly name: string; readonly node: string; readonly address: string; readonly ready: boolean };

export class ClusterLab {
  readonly lab: Lab;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  static async up(name: string, world: ExtensionWorld, version: string): Promise<ClusterLab> {
    await ashlar("lab", "down", "--name", name);
    const cluster = ["--cluster", "--workers", "2", "--kubernetes", version];
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

  async nodes(): Promise<ClusterNode[]> {
    const { items }: NodeList = JSON.parse(await this.kubectl("get", "nodes", "-o", "json"));
    return items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      ready: isReady(status.conditions),
      address: status.addresses.find(({ type }) => type === "InternalIP")?.address,
      podNetwork: spec.podCIDR,
      bootId: status.nodeInfo.bootID,
      kubelet: status.nodeInfo.kubeletVersion,
    }));
  }

  /** Pods that are not being deleted. */
  async pods(selector: string): Promise<Pod[]> {
    const answer = await this.kubectl("get", "pods", "--all-namespaces", "-o", "json", "--selector", selector);
    const { items }: PodList = JSON.parse(answer);
    return items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, spec, status }) => ({
        name: metadata.name,
        node: spec.nodeName ?? "",
        address: status.podIP ?? "",
        ready: isReady(status.conditions ?? []),
      }));
  }

  async prove(): Promise<FleetVerdict> {
    return (await prove("--lab", this.lab.name)).fleet;
  }
}

function isReady(all: Conditions): boolean {
  return all.some(({ type, status }) => type === "Ready" && status === "True");
}

/** Asks again until the answer is there. Emulated nodes take minutes for what is a second elsewhere: the test's own limit ends it. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(POLL_MS);
  }
}
