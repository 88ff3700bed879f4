import { AshlarError, messageOf } from "@ashlar/base";
import type { RolloutSpec } from "@ashlar/kube";
import { rollNode, type Fleet, type Job, type NodeEvent, type NodeRecord } from "@ashlar/rollout";
import type { ClassPlan } from "./class-plan.ts";
import { drainPolicyOf } from "./decide/rollout-policy.ts";
import { operatedNode } from "./operated-node.ts";
import type { RunOptions } from "./rollout-options.ts";

export type JobContext = { readonly spec: RolloutSpec; readonly plan: ClassPlan; readonly fleet: Fleet };

export type Tell = (name: string, event: NodeEvent, signal: AbortSignal) => Promise<boolean>;

type Running = { readonly key: string; readonly ending: AbortController };

/** A job that has ended, and is to go on all the same, is begun again after this time. */
const AGAIN_MS = 10_000;

/** What goes on for the nodes of one Rollout. */
export class RolloutJobs {
  readonly #options: RunOptions;
  readonly #tell: Tell;
  readonly #running: Map<string, Running> = new Map();
  readonly #ended: Map<string, { readonly key: string; readonly atMs: number }> = new Map();

  constructor(options: RunOptions, tell: Tell) {
    this.#options = options;
    this.#tell = tell;
  }

  get isAny(): boolean {
    return this.#running.size > 0;
  }

  /** Begins what is missing, and ends what is no longer there. One that ends is waited for before the next of its node begins. */
  keep(jobs: ReadonlyMap<string, Job>, context?: JobContext): void {
    const records = new Map(context?.fleet.records.map((record) => [record.name, record]));
    for (const [name, running] of this.#running) {
      if (keyOf(jobs.get(name), records.get(name)) !== running.key) running.ending.abort();
    }
    for (const name of this.#ended.keys()) if (!jobs.has(name)) this.#ended.delete(name);
    if (context === undefined) return;
    for (const [name, job] of jobs) {
      const record = records.get(name);
      if (record === undefined || this.#running.has(name)) continue;
      const key = keyOf(job, record);
      const ended = this.#ended.get(name);
      if (ended?.key === key && performance.now() - ended.atMs < AGAIN_MS) continue;
      void this.#run(job, record, key, context);
    }
  }

  async #run(job: Job, record: NodeRecord, key: string, { spec, plan }: JobContext): Promise<void> {
    const { cluster, signal: leading, onLine, wake } = this.#options;
    const { name } = record;
    const ending = new AbortController();
    const signal = AbortSignal.any([leading, ending.signal]);
    this.#running.set(name, { key, ending });
    using access = cluster.openMember(name, plan.rollout.labels);
    try {
      const goal = {
        target: spec.release,
        order: "update",
        reboot: true,
        allowDowngrade: spec.allowDowngrade,
        retry: spec.attempt > 1,
        bootTimeoutMs: spec.limits.bootSeconds * 1000,
      } as const;
      await rollNode(job, operatedNode(name, spec.release, plan, this.#options), access.member, {
        goal,
        policy: drainPolicyOf(spec),
        hooks: plan.rollout,
        record,
        tell: async (event) => await this.#tell(name, event, signal),
        nowMs: () => Date.now(),
        signal,
      });
    } catch (error) {
      const isOver = signal.aborted || (error instanceof AshlarError && error.code === "interrupted");
      if (!isOver) onLine(`${name}: ${messageOf(error)}`);
    } finally {
      this.#running.delete(name);
      if (!ending.signal.aborted) this.#ended.set(name, { key, atMs: performance.now() });
      wake();
    }
  }
}

/** A turn goes on through its states; one that may no longer restart its node, or is held, is another one. */
function keyOf(job: Job | undefined, record: NodeRecord | undefined): string {
  if (job === undefined || record === undefined) return "";
  return job.kind === "turn" ? `turn ${job.mayRestart} ${record.state === "Held"}` : job.kind;
}
