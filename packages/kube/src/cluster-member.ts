import { AshlarError } from "@ashlar/base";
import {
  beginHook,
  CORDON_NOTE,
  endHook,
  missingOf,
  NO_LABELS,
  type EvictionAnswer,
  type Hook,
  type HookChange,
  type HookMarks,
  type Member,
  type MemberAccess,
  type Pod,
  type PodList,
  type RebootLabels,
} from "@ashlar/rollout";
import type { ApiClient } from "./client/api-client.ts";
import { ApiError } from "./client/api-error.ts";
import { changeNode, nodePath, type NodeChange } from "./client/change-node.ts";
import { WatchedList } from "./client/watched-list.ts";
import { answerOf } from "./objects/eviction-answer.ts";
import { readBudgets } from "./objects/read-budget.ts";
import { readHookMarks } from "./objects/read-hook-marks.ts";
import { readNode, type KubeNode } from "./objects/read-node.ts";
import { readPod, type KubePod } from "./objects/read-pod.ts";

/** One Node and its pods. */
export class ClusterMember implements MemberAccess {
  readonly name: string;
  readonly #client: ApiClient;
  readonly #labels: RebootLabels;

  constructor(client: ApiClient, name: string, labels: RebootLabels = NO_LABELS) {
    this.#client = client;
    this.#labels = labels;
    this.name = name;
  }

  async look(signal: AbortSignal): Promise<Member> {
    return await this.#node(signal);
  }

  async cordon(release: string, signal: AbortSignal): Promise<void> {
    await this.#change(signal, ({ cordon }) =>
      cordon === "none"
        ? {
            metadata: { labels: this.#labels.beforeReboot, annotations: { [CORDON_NOTE]: release } },
            spec: { unschedulable: true },
          }
        : undefined,
    );
  }

  async uncordon(signal: AbortSignal): Promise<void> {
    await this.#change(signal, ({ cordon }) =>
      cordon === "ours"
        ? {
            metadata: { labels: this.#labels.afterReboot, annotations: { [CORDON_NOTE]: null } },
            spec: { unschedulable: null },
          }
        : undefined,
    );
  }

  async askHook(hook: Hook, signal: AbortSignal): Promise<readonly string[]> {
    let missing: readonly string[] = hook.annotations;
    await this.#changeMarks(signal, (marks) => {
      const change = beginHook(hook, marks);
      missing = change === undefined ? missingOf(hook, marks) : hook.annotations;
      return change;
    });
    return missing;
  }

  async endHook(hook: Hook, signal: AbortSignal): Promise<void> {
    await this.#changeMarks(signal, (marks) => endHook(hook, marks));
  }

  async pods(signal: AbortSignal): Promise<PodList> {
    const watching = {
      path: "/api/v1/pods",
      fieldSelector: `spec.nodeName=${this.name}`,
      what: `the pods of ${this.name}`,
      read: readPod,
    };
    const list = await WatchedList.open(this.#client, watching, signal);
    return await NodePods.open(this.#client, list, signal);
  }

  async evict(
    { namespace, name, uid }: Pod,
    { graceSeconds, rehearse }: { readonly graceSeconds: number | undefined; readonly rehearse: boolean },
    signal: AbortSignal,
  ): Promise<EvictionAnswer> {
    // With the UID, or after a wait the pod that has got the name meanwhile would go, on whatever node it is.
    const grace = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds };
    const body = {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { namespace, name },
      deleteOptions: { preconditions: { uid }, ...grace, ...(rehearse ? { dryRun: ["All"] } : {}) },
    };
    try {
      await this.#client.json(
        {
          method: "POST",
          path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`,
          body,
          what: `the eviction of ${namespace}/${name}`,
        },
        signal,
      );
      return { kind: "accepted" };
    } catch (error) {
      if (error instanceof ApiError && !error.isTooEarly) return answerOf(error.status);
      throw error;
    }
  }

  async budgetsOf({ namespace, name }: Pod, signal: AbortSignal): Promise<readonly string[]> {
    const of = `/namespaces/${encodeURIComponent(namespace)}`;
    const what = `the PodDisruptionBudgets of ${namespace}`;
    try {
      const list = await this.#client.json(
        { method: "GET", path: `/apis/policy/v1${of}/poddisruptionbudgets`, query: { limit: "500" }, what },
        signal,
      );
      const path = `/api/v1${of}/pods/${encodeURIComponent(name)}`;
      const pod = await this.#client.json({ method: "GET", path, what: `the pod ${namespace}/${name}` }, signal);
      const { labels } = readPod(pod);
      return readBudgets(list).flatMap((budget) => (budget.matches(labels) ? [budget.name] : []));
    } catch (error) {
      // They only explain; who may not read them still learns what the server has said about the eviction.
      if (error instanceof AshlarError && error.code !== "interrupted") return [];
      throw error;
    }
  }

  async #node(signal: AbortSignal): Promise<KubeNode> {
    return readNode(
      await this.#client.json({ method: "GET", path: nodePath(this.name), what: `the Node ${this.name}` }, signal),
    );
  }

  async #changeMarks(signal: AbortSignal, decide: (marks: HookMarks) => HookChange | undefined): Promise<void> {
    const changing = {
      name: this.name,
      what: "the labels",
      fieldManager: "ashlar",
      read: readHookMarks,
      decide: (found: HookMarks) => {
        const change = decide(found);
        return change && { metadata: change };
      },
    };
    await changeNode(this.#client, changing, signal);
  }

  async #change(signal: AbortSignal, decide: (node: KubeNode) => NodeChange | undefined): Promise<void> {
    const changing = { name: this.name, what: "the cordon", fieldManager: "ashlar", read: readNode, decide };
    await changeNode(this.#client, changing, signal);
  }
}

/** The pods of one node, and whether the DaemonSets that they name are there. */
class NodePods implements PodList {
  readonly #client: ApiClient;
  readonly #list: WatchedList<KubePod>;
  readonly #signal: AbortSignal;
  #daemonSets: ReadonlyMap<string, boolean> = new Map();

  private constructor(client: ApiClient, list: WatchedList<KubePod>, signal: AbortSignal) {
    this.#client = client;
    this.#list = list;
    this.#signal = signal;
  }

  static async open(client: ApiClient, list: WatchedList<KubePod>, signal: AbortSignal): Promise<NodePods> {
    const pods = new NodePods(client, list, signal);
    await pods.#lookUp();
    return pods;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#list[Symbol.asyncDispose]();
  }

  get items(): readonly Pod[] {
    return this.#list.items.map((pod) => {
      const key = daemonSetOf(pod);
      return { ...pod, isOrphan: key !== undefined && this.#daemonSets.get(key) === false };
    });
  }

  async change(withinMs: number): Promise<void> {
    await this.#list.change(withinMs);
    await this.#lookUp();
  }

  async refresh(): Promise<void> {
    await this.#list.refresh();
    await this.#lookUp();
  }

  /** Each DaemonSet once: one that is deleted meanwhile takes its pods along. */
  async #lookUp(): Promise<void> {
    const named = new Set(this.#list.items.flatMap((pod) => daemonSetOf(pod) ?? []));
    const found = new Map(this.#daemonSets);
    for (const key of named) {
      if (!found.has(key)) found.set(key, await this.#exists(key));
    }
    this.#daemonSets = found;
  }

  async #exists(key: string): Promise<boolean> {
    const [namespace = "", name = ""] = key.split("/");
    const of = `/namespaces/${encodeURIComponent(namespace)}/daemonsets/${encodeURIComponent(name)}`;
    try {
      const what = `the DaemonSet ${key}`;
      await this.#client.json({ method: "GET", path: `/apis/apps/v1${of}`, what }, this.#signal);
      return true;
    } catch (error) {
      if (error instanceof AshlarError && error.code === "not-found") return false;
      throw error;
    }
  }
}

function daemonSetOf({ namespace, controller }: Pick<Pod, "namespace" | "controller">): string | undefined {
  return controller?.kind === "DaemonSet" ? `${namespace}/${controller.name}` : undefined;
}
