import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import type { Lab } from "@ashlar/lab";
import type { Stage } from "../stage.ts";
import { WORKLOAD } from "./workload.ts";

type Conditions = readonly { readonly type: string; readonly status: string }[];

/** What is read of the API's lists (Kubernetes API reference, v1.33). */
type NodeList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly unschedulable?: boolean };
    readonly status: { readonly conditions: Conditions; readonly nodeInfo: { readonly kubeletVersion: string } };
  }[];
};
type PodList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly spec: { readonly nodeName?: string };
    readonly status: {
      readonly conditions?: Conditions;
      readonly containerStatuses?: readonly { readonly restartCount: number }[];
    };
  }[];
};

export type Member = {
  readonly name: string;
  readonly ready: boolean;
  readonly cordoned: boolean;
  readonly kubelet: string;
};
export type Pod = { readonly name: string; readonly node: string; readonly ready: boolean; readonly restarts: number };

const POLL_MS = 5000;

/** A lab's cluster, through kubectl as its administrator. */
export class Cluster {
  readonly #stage: Stage;
  readonly #lab: Lab;

  constructor(stage: Stage, lab: Lab) {
    this.#stage = stage;
    this.#lab = lab;
  }

  /** Where the workload's Service can be asked on this computer, one port for each node. */
  get servicePorts(): readonly number[] {
    return this.#lab.nodes.map(({ name, servicePort }) => {
      if (servicePort !== undefined) return servicePort;
      throw new AshlarError("unavailable", `${name} has no port for a Service`);
    });
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    const { cluster } = this.#lab;
    if (cluster === undefined) {
      throw new AshlarError("not-found", `lab ${this.#lab.name} has no cluster`, {
        hint: "make one with `npm run demo -- --cluster --only provision --keep`",
      });
    }
    const { kubectl, environment: env } = cluster;
    const { stdout } = await run(kubectl, args, { env, signal: this.#stage.signal });
    return stdout.toString("utf8");
  }

  /** As above, shown as the command that a user would type. */
  async show(...args: readonly string[]): Promise<void> {
    this.#stage.say(`  $ ./ashlar lab kubectl --name ${this.#lab.name} -- ${args.join(" ")}`);
    this.#stage.say((await this.kubectl(...args)).trimEnd().replaceAll(/^/gmu, "    "));
  }

  async members(): Promise<readonly Member[]> {
    const { items }: NodeList = JSON.parse(await this.kubectl("get", "nodes", "-o", "json"));
    return items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      ready: isReady(status.conditions),
      cordoned: spec.unschedulable === true,
      kubelet: status.nodeInfo.kubeletVersion,
    }));
  }

  /** Those of the workload that are not being deleted. */
  async pods(): Promise<readonly Pod[]> {
    const { items }: PodList = JSON.parse(await this.kubectl("get", "pods", "-l", `app=${WORKLOAD}`, "-o", "json"));
    return items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, spec, status }) => ({
        name: metadata.name,
        node: spec.nodeName ?? "",
        ready: isReady(status.conditions ?? []),
        restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
      }));
  }

  /** Emulated nodes take minutes for what is a second elsewhere: only the demo's end ends it. */
  async waitForPods(): Promise<readonly Pod[]> {
    for (;;) {
      const pods = await this.pods();
      if (pods.length === 2 && pods.every(({ ready }) => ready)) return pods;
      await this.#stage.pause(POLL_MS);
    }
  }

  /** Looks at the members all the time while `work` goes on. */
  async watch<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seen: readonly Member[] }> {
    const seen: Member[] = [];
    const ended = new AbortController();
    const until = AbortSignal.any([ended.signal, this.#stage.signal]);
    const look = async (): Promise<void> => {
      while (!until.aborted) {
        // An API server that has no time for an answer says nothing about the nodes.
        seen.push(...(await this.members().catch(() => [])));
        await sleep(POLL_MS, undefined, { signal: until }).catch(() => undefined);
      }
    };
    const looking = look();
    try {
      return { result: await work(), seen };
    } finally {
      ended.abort();
      await looking;
    }
  }
}

function isReady(all: Conditions): boolean {
  return all.some(({ type, status }) => type === "Ready" && status === "True");
}
