import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import type { UpdateProgress, UpdateStatus } from "@ashlar/identity";
import { firstAnswer } from "./first-answer.ts";
import { NEW_TURN, nextStep, type Goal, type Step, type StopReason, type TurnState } from "./turn.ts";

/** One node as an update sees it. All throw AshlarError `unavailable` when it does not answer. */
export type NodeAccess = {
  readonly name: string;
  readonly status: (signal: AbortSignal) => Promise<UpdateStatus>;
  /** What is wrong with the claim that it runs `version` now; undefined when that is proven. */
  readonly prove: (version: string, signal: AbortSignal) => Promise<string | undefined>;
  /** The same about what it boots next. */
  readonly proveNextBoot: (version: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Tells it what the goal says. Also throws when the node refuses. */
  readonly order: (goal: Goal, signal: AbortSignal) => Promise<UpdateStatus>;
  readonly reboot: (signal: AbortSignal) => Promise<void>;
};

/** What others see of a turn while it goes on. */
export type TurnEvent = {
  readonly node: string;
  readonly step: Step;
  /** As the node says; undefined while it does not answer. */
  readonly status: UpdateStatus | undefined;
};

export type TurnOptions = {
  readonly resumed: boolean;
  /** Called before the node is changed for the first time, with the version that it runs. */
  readonly beforeChange: (version: string) => Promise<void>;
  readonly onEvent: (event: TurnEvent) => void;
  readonly signal: AbortSignal;
  readonly pollMs?: number;
  readonly answerMs?: number;
};

export type TurnResult = {
  readonly end: Extract<Step, { readonly kind: "done" | "stop" }>;
  /** What the node ran at the beginning; undefined when it never answered. */
  readonly from: string | undefined;
  /** What it runs now, when that is proven. */
  readonly proven: string | undefined;
  /** Of this turn's staging. */
  readonly progress: UpdateProgress | undefined;
};

/** The agent of a node takes two questions a second, from everybody together. */
const POLL_MS = 2000;
/** What an answer may take. A node under emulation takes seconds to start its agent. */
const ANSWER_MS = 30_000;

/** A node that says how it is, and gives no evidence, is asked a few times. */
const MAX_LOST_PROOFS = 4;

/** Does a node's turn to its end. */
export async function runTurn(node: NodeAccess, goal: Goal, options: TurnOptions): Promise<TurnResult> {
  return await new TurnRunner(node, goal, options).run();
}

class TurnRunner {
  readonly #node: NodeAccess;
  readonly #goal: Goal;
  readonly #options: TurnOptions;
  #state: TurnState;
  #status: UpdateStatus | undefined;
  #from: string | undefined;
  #progress: UpdateProgress | undefined;
  #changed = false;
  #lostProofs = 0;
  #answeredMs = performance.now();
  #orderedMs = performance.now();
  #boot: { readonly id: string; readonly sinceMs: number } | undefined;

  constructor(node: NodeAccess, goal: Goal, options: TurnOptions) {
    this.#node = node;
    this.#goal = goal;
    this.#options = options;
    this.#state = { ...NEW_TURN, resumed: options.resumed };
  }

  async run(): Promise<TurnResult> {
    while (true) {
      throwIfInterrupted(this.#options.signal);
      let step: Step | undefined;
      try {
        await this.#look();
        step = this.#decide();
        this.#options.onEvent({ node: this.#node.name, step, status: this.#status });
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
    this.#status = await firstAnswer(async (each) => this.#node.status(each), timing, signal);
    throwIfInterrupted(signal);
    if (this.#status === undefined) return;
    this.#answeredMs = performance.now();
    const { version, bootId, progress } = this.#status;
    this.#state = { ...this.#state, reached: true };
    this.#from ??= version;
    if (progress !== null) this.#progress = progress;
    if (this.#boot?.id !== bootId) this.#boot = { id: bootId, sinceMs: performance.now() };
  }

  #decide(): Step {
    const nowMs = performance.now();
    return nextStep(this.#goal, this.#state, {
      status: this.#status,
      silentMs: nowMs - this.#answeredMs,
      waitedMs: nowMs - this.#orderedMs,
      sameBootMs: nowMs - (this.#boot?.sinceMs ?? nowMs),
    });
  }

  async #perform(kind: Exclude<Step["kind"], "done" | "stop">): Promise<void> {
    const { signal } = this.#options;
    if (kind === "wait") {
      await sleep(this.#pollMs, undefined, { signal }).catch(() => undefined);
      return;
    }
    const status = this.#status;
    if (status === undefined) throw new TypeError(`nothing but waiting follows from silence, found ${kind}`);
    const { bootId, version } = status;
    if (kind === "prove") {
      const problem = await this.#node.prove(version, signal);
      this.#state = { ...this.#state, proof: { bootId, problem } };
    } else if (kind === "prove-next-boot") {
      const problem = await this.#node.proveNextBoot(this.#goal.target, signal);
      this.#state = { ...this.#state, nextBoot: { bootId, problem } };
    } else {
      this.#orderedMs = performance.now();
      if (!this.#changed) await this.#options.beforeChange(version);
      this.#changed = true;
      // Set first: the answer to the order to restart may be lost with the connection.
      if (kind === "order") this.#state = { ...this.#state, ordered: true };
      else this.#state = { ...this.#state, rebootedFrom: bootId };
      await (kind === "order" ? this.#node.order(this.#goal, signal) : this.#node.reboot(signal));
    }
  }

  #result(end: TurnResult["end"]): TurnResult {
    const { proof } = this.#state;
    const isProven = proof !== undefined && proof.problem === undefined && proof.bootId === this.#status?.bootId;
    const proven = isProven ? this.#status?.version : undefined;
    return { end, from: this.#from, proven, progress: this.#progress };
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? POLL_MS;
  }
}
