import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import type { UpdateProgress } from "@ashlar/protocol";
import { ANSWER_MS, firstAnswer } from "./first-answer.ts";
import type { BlockedPod } from "../cluster/drain.ts";
import type { End, Facts, Step, StopReason } from "../turn/turn.ts";

/** What both kinds of status have. */
type AnyStatus = { readonly bootId: string; readonly progress: UpdateProgress | null };

/** What is to be done with one node: of each answer it makes the next step, and it carries steps out. */
export type Plan<Status extends AnyStatus> = {
  readonly node: string;
  readonly ask: (signal: AbortSignal) => Promise<Status>;
  readonly decide: (facts: Facts<Status>) => Step;
  readonly perform: (kind: Action, status: Status, signal: AbortSignal) => Promise<void>;
};

/** The steps that do something. */
export type Action = Exclude<Step["kind"], "wait" | "done" | "stop">;

/** What others see of a turn while it goes on. */
export type TurnEvent<Status> = {
  readonly node: string;
  readonly step: Step;
  /** As the node says; undefined while it does not answer. */
  readonly status: Status | undefined;
  /** While it is drained: the pods that are still there, and why. */
  readonly blocked?: readonly BlockedPod[];
};

export type FollowOptions<Status> = {
  readonly onEvent: (event: TurnEvent<Status>) => void;
  readonly signal: AbortSignal;
  readonly pollMs?: number;
  readonly answerMs?: number;
};

export type Followed = {
  readonly end: End;
  /** Of what was fetched in this turn. */
  readonly progress: UpdateProgress | undefined;
};

/** The agent of a node takes two questions a second, from everybody together. */
const POLL_MS = 2000;
/** A node that says how it is, and gives no evidence, is asked a few times. */
const MAX_LOST_PROOFS = 4;

/** Does a node's turn to its end. */
export async function followTurn<Status extends AnyStatus>(
  plan: Plan<Status>,
  options: FollowOptions<Status>,
): Promise<Followed> {
  return await new Follower(plan, options).run();
}

class Follower<Status extends AnyStatus> {
  readonly #plan: Plan<Status>;
  readonly #options: FollowOptions<Status>;
  #status: Status | undefined;
  #progress: UpdateProgress | undefined;
  #lostProofs = 0;
  #answeredMs = performance.now();
  #orderedMs = performance.now();
  #boot: { readonly id: string; readonly sinceMs: number } | undefined;

  constructor(plan: Plan<Status>, options: FollowOptions<Status>) {
    this.#plan = plan;
    this.#options = options;
  }

  async run(): Promise<Followed> {
    while (true) {
      throwIfInterrupted(this.#options.signal);
      let step: Step | undefined;
      try {
        await this.#look();
        step = this.#plan.decide(this.#facts());
        this.#options.onEvent({ node: this.#plan.node, step, status: this.#status });
        if (step.kind === "done" || step.kind === "stop") return this.#result(step);
        await this.#perform(step.kind);
      } catch (error) {
        throwIfInterrupted(this.#options.signal);
        if (!(error instanceof AshlarError) || error.code === "usage") throw error;
        const reason = this.#reasonOf(error, step?.kind);
        if (reason !== undefined) return this.#result({ kind: "stop", reason });
      }
    }
  }

  /** Undefined when it may go on: what follows from silence is decided when it lasts. */
  #reasonOf({ code, message, hint }: AshlarError, doing: Step["kind"] | undefined): StopReason | undefined {
    const more = hint === undefined ? {} : { hint };
    if (code !== "unavailable") return { code: "refused", message, ...more };
    if (doing === "reboot") return undefined;
    if (doing === "order") return { code: "no-answer", message, ...more };
    this.#lostProofs += 1;
    return this.#lostProofs > MAX_LOST_PROOFS ? { code: "not-proven", message, ...more } : undefined;
  }

  async #look(): Promise<void> {
    const { signal } = this.#options;
    const answerMs = this.#options.answerMs ?? ANSWER_MS;
    const timing = { everyMs: 3 * this.#pollMs, eachMs: answerMs, allMs: answerMs };
    this.#status = await firstAnswer(async (each) => this.#plan.ask(each), timing, signal);
    throwIfInterrupted(signal);
    if (this.#status === undefined) return;
    this.#answeredMs = performance.now();
    const { bootId, progress } = this.#status;
    if (progress !== null) this.#progress = progress;
    if (this.#boot?.id !== bootId) this.#boot = { id: bootId, sinceMs: performance.now() };
  }

  #facts(): Facts<Status> {
    const nowMs = performance.now();
    return {
      status: this.#status,
      silentMs: nowMs - this.#answeredMs,
      waitedMs: nowMs - this.#orderedMs,
      sameBootMs: nowMs - (this.#boot?.sinceMs ?? nowMs),
    };
  }

  async #perform(kind: Action | "wait"): Promise<void> {
    const { signal } = this.#options;
    if (kind === "wait") {
      await sleep(this.#pollMs, undefined, { signal }).catch(() => undefined);
      return;
    }
    if (this.#status === undefined) throw new TypeError(`nothing but waiting follows from silence, found ${kind}`);
    if (kind === "order" || kind === "reboot") this.#orderedMs = performance.now();
    await this.#plan.perform(kind, this.#status, signal);
  }

  #result(end: End): Followed {
    return { end, progress: this.#progress };
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? POLL_MS;
  }
}
