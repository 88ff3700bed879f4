import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { Cluster as ApiServer, type KubeNode, type KubePod } from "@ashlar/kube";
import type { Lab, LabClusterAccess } from "@ashlar/lab";
import type { Stage } from "../stage.ts";
import { WORKLOAD } from "./workload.ts";

const POLL_MS = 5000;

/** A lab's cluster, as its administrator sees it. */
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
    const { kubectl, environment: env } = this.#access;
    const { stdout } = await run(kubectl, args, { env, signal: this.#stage.signal });
    return stdout.toString("utf8");
  }

  /** As above, shown as the command that a user would type. */
  async show(...args: readonly string[]): Promise<void> {
    this.#stage.say(`  $ ./ashlar lab kubectl --name ${this.#lab.name} -- ${args.join(" ")}`);
    this.#stage.say((await this.kubectl(...args)).trimEnd().replaceAll(/^/gmu, "    "));
  }

  async members(): Promise<readonly KubeNode[]> {
    using server = await ApiServer.open({ kubeconfig: this.#access.kubeconfig });
    return await server.nodes(this.#stage.signal);
  }

  /** Those of the workload that are not being deleted. */
  async pods(): Promise<readonly KubePod[]> {
    using server = await ApiServer.open({ kubeconfig: this.#access.kubeconfig });
    const pods = await server.pods(`app=${WORKLOAD}`, this.#stage.signal);
    return pods.filter(({ isTerminating }) => !isTerminating);
  }

  /** Emulated nodes take minutes for what is a second elsewhere: only the demo's end ends it. */
  async waitForPods(): Promise<readonly KubePod[]> {
    for (;;) {
      const pods = await this.pods();
      if (pods.length === 2 && pods.every(({ isReady }) => isReady)) return pods;
      await this.#stage.pause(POLL_MS);
    }
  }

  /** Looks at the members all the time while `work` goes on. */
  async watch<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seen: readonly KubeNode[] }> {
    const seen: KubeNode[] = [];
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

  get #access(): LabClusterAccess {
    const { cluster, name } = this.#lab;
    if (cluster !== undefined) return cluster;
    throw new AshlarError("not-found", `lab ${name} has no cluster`, {
      hint: "make one with `npm run demo -- --cluster --only provision --keep`",
    });
  }
}
