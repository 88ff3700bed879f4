import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import {
  describeDrainStop,
  NEW_DRAIN,
  nextDrainStep,
  type BlockedPod,
  type DrainFacts,
  type DrainPolicy,
  type DrainState,
  type DrainStep,
} from "../cluster/drain.ts";
import type { Hook } from "../cluster/hooks.ts";
import type { EvictionAnswer, Member, Pod } from "../cluster/member.ts";

/** A node's pods as they are now. */
export type PodList = AsyncDisposable & {
  readonly items: readonly Pod[];
  /** Resolves when something has changed, or after `withinMs`. */
  readonly change: (withinMs: number) => Promise<void>;
  /** Asks for the whole list again. */
  readonly refresh: () => Promise<void>;
};

/** One node as its cluster's API server knows it. All throw AshlarError `unavailable` when that does not answer. */
export type MemberAccess = {
  readonly name: string;
  /** @throws AshlarError `not-found` when the cluster has no such Node */
  readonly look: (signal: AbortSignal) => Promise<Member>;
  /** Leaves a node alone that somebody has cordoned; else notes that it was Ashlar, for which release. */
  readonly cordon: (release: string, signal: AbortSignal) => Promise<void>;
  /** Takes back a cordon that was noted so, and no other. */
  readonly uncordon: (signal: AbortSignal) => Promise<void>;
  readonly pods: (signal: AbortSignal) => Promise<PodList>;
  /** `rehearse`: the answer without the eviction. */
  readonly evict: (
    pod: Pod,
    options: { readonly graceSeconds: number | undefined; readonly rehearse: boolean },
    signal: AbortSignal,
  ) => Promise<EvictionAnswer>;
  /** Begins a check, or looks how far it is. @returns the annotations that it waits for */
  readonly askHook: (hook: Hook, signal: AbortSignal) => Promise<readonly string[]>;
  /** Leaves nothing of it on the Node. */
  readonly endHook: (hook: Hook, signal: AbortSignal) => Promise<void>;
  /** Names of the PodDisruptionBudgets that match a pod. */
  readonly budgetsOf: (pod: Pod, signal: AbortSignal) => Promise<readonly string[]>;
};

export type DrainResult = {
  /** Undefined: nothing is left that has to go. */
  readonly problem: string | undefined;
  readonly evicted: number;
  readonly blocked: readonly BlockedPod[];
};

export type DrainOptions = DrainPolicy & {
  /** For the note of the cordon. */
  readonly release: string;
  readonly onBlocked: (blocked: readonly BlockedPod[]) => void;
  readonly signal: AbortSignal;
};

/** While the API server is away. */
const PAUSE_MS = 2000;

/** Moves a node's pods away. The node stays cordoned, however that ends. */
export async function drainMember(access: MemberAccess, options: DrainOptions): Promise<DrainResult> {
  const drain = new Drain(access, options);
  while (true) {
    throwIfInterrupted(options.signal);
    try {
      return await drain.run();
    } catch (error) {
      throwIfInterrupted(options.signal);
      if (!(error instanceof AshlarError)) throw error;
      if (error.code !== "unavailable" || drain.isLate) return drain.failed(error.message);
      await sleep(PAUSE_MS, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
}

/**
 * What would keep a drain from beginning, as far as the pods that are there now tell: those that may be lost only when somebody says
 * so. Undefined when nothing does, or while the API server does not answer.
 */
export async function foreseeDrain(
  access: MemberAccess,
  policy: DrainPolicy,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const member = await access.look(signal);
    await using pods = await access.pods(signal);
    const step = nextDrainStep(policy, NEW_DRAIN, { member, pods: pods.items, elapsedMs: 0 });
    return step.kind === "stop" ? describeDrainStop(step) : undefined;
  } catch (error) {
    throwIfInterrupted(signal);
    if (!(error instanceof AshlarError)) throw error;
    return error.code === "unavailable" ? undefined : error.message;
  }
}

class Drain {
  readonly #access: MemberAccess;
  readonly #options: DrainOptions;
  readonly #startMs: number = performance.now();
  readonly #evicted: Set<string> = new Set();
  #state: DrainState = NEW_DRAIN;
  #blocked: readonly BlockedPod[] = [];

  constructor(access: MemberAccess, options: DrainOptions) {
    this.#access = access;
    this.#options = options;
  }

  get isLate(): boolean {
    return this.#elapsedMs >= this.#options.timeoutMs;
  }

  failed(problem: string): DrainResult {
    return { problem, evicted: this.#evicted.size, blocked: this.#blocked };
  }

  async run(): Promise<DrainResult> {
    const { signal } = this.#options;
    await using pods = await this.#access.pods(signal);
    // What is done is only believed when the whole list says so: a watch may have missed something.
    let isFresh = true;
    while (true) {
      throwIfInterrupted(signal);
      const member = await this.#access.look(signal);
      const step = this.#decide({ member, pods: pods.items, elapsedMs: this.#elapsedMs });
      if (step.kind === "stop") {
        this.#blocked = step.blocked;
        return this.failed(describeDrainStop(step));
      }
      if (step.kind === "done" && isFresh) return { problem: undefined, evicted: this.#evicted.size, blocked: [] };
      isFresh = step.kind === "done";
      if (step.kind === "done") await pods.refresh();
      else if (step.kind === "wait") await this.#wait(step, pods);
      else await this.#perform(step);
    }
  }

  #decide(facts: DrainFacts): DrainStep {
    return nextDrainStep(this.#options, this.#state, facts);
  }

  async #wait({ forMs, blocked }: Extract<DrainStep, { kind: "wait" }>, pods: PodList): Promise<void> {
    this.#blocked = blocked;
    this.#options.onBlocked(blocked);
    await pods.change(forMs);
  }

  async #perform(step: Extract<DrainStep, { kind: "cordon" | "rehearse" | "evict" }>): Promise<void> {
    const { release, signal } = this.#options;
    if (step.kind === "cordon") await this.#access.cordon(release, signal);
    else await Promise.all(step.pods.map(async (pod) => this.#ask(pod, step.kind === "rehearse")));
  }

  async #ask(pod: Pod, rehearse: boolean): Promise<void> {
    const { graceSeconds, signal } = this.#options;
    const answer = await this.#access.evict(pod, { graceSeconds, rehearse }, signal);
    const isBlocked = answer.kind === "budget" || answer.kind === "refused";
    const names = isBlocked ? await this.#access.budgetsOf(pod, signal) : undefined;
    if (!rehearse && answer.kind === "accepted") this.#evicted.add(pod.uid);
    const { rehearsed, asked, budgets } = this.#state;
    this.#state = {
      rehearsed: rehearse ? new Map(rehearsed).set(pod.uid, answer) : rehearsed,
      asked: rehearse ? asked : new Map(asked).set(pod.uid, { answer, atMs: this.#elapsedMs }),
      budgets: names === undefined ? budgets : new Map(budgets).set(pod.uid, names),
    };
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startMs;
  }
}
