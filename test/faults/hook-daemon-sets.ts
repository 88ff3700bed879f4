/** Hooks as people have them with FLUO: DaemonSets that select nodes by a label. The test does what their pods would. */
import { setTimeout as sleep } from "node:timers/promises";
import { podSpec, type DrainLab } from "./drain-lab.ts";
import type { LabApi } from "./lab-api.ts";

const FLUO = "flatcar-linux-update.v1.flatcar-linux.net";
type HookName = "before" | "after";
export const HOOKS: Readonly<Record<HookName, { readonly label: string; readonly annotation: string }>> = {
  before: { label: `${FLUO}/before-reboot`, annotation: "example.org/before" },
  after: { label: `${FLUO}/after-reboot`, annotation: "example.org/after" },
};

export class HookDaemonSets implements AsyncDisposable {
  /** Which of them do their work. */
  readonly answering: Set<HookName> = new Set(["before", "after"]);
  /** What was agreed, in its order: `before w-1`. */
  readonly agreed: string[] = [];
  readonly #api: LabApi;
  readonly #ending = new AbortController();
  readonly #seen: Set<string> = new Set();
  readonly #running: Promise<void>;

  private constructor(api: LabApi) {
    this.#api = api;
    this.#running = this.#run();
  }

  static async start(lab: DrainLab, api: LabApi): Promise<HookDaemonSets> {
    await lab.create(...(["before", "after"] as const).map((name) => daemonSet(name)));
    return new HookDaemonSets(api);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      // The API server may be away, as for any program in a pod.
      await this.#answer().catch(() => undefined);
      await sleep(1000, undefined, { signal }).catch(() => undefined);
    }
  }

  async #answer(): Promise<void> {
    const pods = await this.#api.list("/api/v1/namespaces/default/pods?labelSelector=hook");
    for (const { metadata, spec } of pods) {
      const { uid = "", labels } = metadata;
      const name = labels?.["hook"] === "before" ? "before" : "after";
      const node = spec?.["nodeName"];
      if (typeof node !== "string" || this.#seen.has(uid) || !this.answering.has(name)) continue;
      await this.#api.patch(`/api/v1/nodes/${node}`, {
        metadata: { annotations: { [HOOKS[name].annotation]: "true" } },
      });
      this.#seen.add(uid);
      this.agreed.push(`${name} ${node}`);
    }
  }
}

function daemonSet(name: HookName): object {
  const labels = { hook: name };
  const nodeSelector = { [HOOKS[name].label]: "true" };
  const spec = podSpec({ nodeSelector, terminationGracePeriodSeconds: 0 });
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: `hook-${name}` },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}
