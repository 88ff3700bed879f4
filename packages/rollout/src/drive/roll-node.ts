import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import type { UpdateStatus } from "@ashlar/protocol";
import { describeBlocked, type DrainPolicy } from "../cluster/drain.ts";
import type { Hook, Hooks } from "../cluster/hooks.ts";
import { nextRejoinStep, type RejoinFacts } from "../cluster/rejoin.ts";
import type { NodeRecord } from "../fleet/fleet.ts";
import type { Job } from "../fleet/look-at-fleet.ts";
import type { NodeEnd, NodeEvent } from "../fleet/transition.ts";
import type { Goal } from "../turn/turn.ts";
import { untilAgreed, untilEnded } from "./ask-hook.ts";
import { drainMember, type MemberAccess } from "./drain-member.ts";
import { ANSWER_MS, firstAnswer } from "./first-answer.ts";
import { lookIfPossible, unlessUnavailable } from "./run-member-turn.ts";
import { runTurn, type NodeAccess, type TurnResult } from "./run-turn.ts";

export type RollOptions = {
  readonly goal: Goal;
  readonly policy: DrainPolicy;
  /** Who else has to agree. */
  readonly hooks?: Hooks;
  /** As it is remembered when this begins. */
  readonly record: NodeRecord;
  /**
   * Resolves when it is written down; with false when it cannot follow, so that nothing may come of it. It throws when the
   * signal is aborted before it is known to be written.
   */
  readonly tell: (event: NodeEvent) => Promise<boolean>;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly pollMs?: number | undefined;
};

const POLL_MS = 2000;
/** What others do takes longer, and each look asks the API server. */
const HOOK_MS = 5000;
/** A machine that was told to restart by a process that is gone may still answer for a while. */
const SETTLE_MS = 30_000;
const REFUSED = "the rollout does not restart it now";

/**
 * Carries out what is to go on for one node, to its end, and tells how far it has come. It takes nothing back when it is
 * interrupted: what is to go on next follows from what is written down.
 */
export async function rollNode(job: Job, node: NodeAccess, member: MemberAccess, options: RollOptions): Promise<void> {
  if (job.kind === "stage") await stage(node, options);
  else if (job.kind === "turn") await new Turn(job.mayRestart, node, member, options).take();
  else await giveBack(member, options);
}

async function stage(node: NodeAccess, options: RollOptions): Promise<void> {
  const { goal, tell } = options;
  const { end } = await runTurn(node, { ...goal, reboot: false }, { ...following(options), resumed: false });
  // A node that does not answer for a while is asked again, until the rollout's limit.
  if (end.kind === "stop" && end.reason.code === "no-answer")
    await tell({ kind: "waits", message: end.reason.message });
  // Who runs it already is found to be done by its proof.
  else
    await tell(
      end.kind === "done" ? { kind: "staged" } : { kind: "ended", how: "Failed", message: end.reason.message },
    );
}

async function giveBack(member: MemberAccess, { tell, signal, hooks }: RollOptions): Promise<void> {
  if (hooks?.beforeReboot !== undefined) await member.endHook(hooks.beforeReboot, signal);
  await member.uncordon(signal);
  await tell({ kind: "given-back" });
}

function following({
  signal,
  pollMs,
}: RollOptions): Pick<Parameters<typeof runTurn>[2], "signal" | "pollMs" | "beforeChange" | "onEvent"> {
  const poll = pollMs === undefined ? {} : { pollMs };
  return { signal, ...poll, beforeChange: async () => undefined, onEvent: () => undefined };
}

class Turn {
  readonly #mayRestart: boolean;
  readonly #node: NodeAccess;
  readonly #member: MemberAccess;
  readonly #options: RollOptions;
  /** The boot that it was told to leave, or is about to be. */
  #left: string | undefined;
  #seen = "";

  constructor(mayRestart: boolean, node: NodeAccess, member: MemberAccess, options: RollOptions) {
    this.#mayRestart = mayRestart;
    this.#node = node;
    this.#member = member;
    this.#options = options;
    this.#left = options.record.restartedFrom;
  }

  async take(): Promise<void> {
    const { goal, record, signal } = this.#options;
    if (record.restartedFrom !== undefined && !(await this.#isOver(record.restartedFrom))) return;
    const { restartedFrom } = record;
    const result = await runTurn(this.#node, goal, {
      ...following(this.#options),
      resumed: restartedFrom !== undefined,
      restartedFrom,
      drain: async (status) => await this.#drain(status),
      onEvent: ({ status }) => void this.#progress(status),
    });
    throwIfInterrupted(signal);
    const { end } = result;
    const hasLeft = this.#left !== undefined && result.bootId !== undefined && result.bootId !== this.#left;
    if (end.kind === "stop" && !hasLeft) await this.#notRestarted(result, end.reason);
    else await this.#comeHome(result);
  }

  /**
   * Of a node that was told to restart: waits until it has, or until it is clear that it may be told again.
   *
   * @returns false when it is not to be gone on with: it is known not to have restarted
   */
  async #isOver(restartedFrom: string): Promise<boolean> {
    const { record, tell, nowMs, signal } = this.#options;
    while (true) {
      throwIfInterrupted(signal);
      const status = await this.#ask();
      if (status !== undefined && status.bootId !== restartedFrom) return true;
      if (status !== undefined && record.state === "Held") {
        await tell({ kind: "ended", how: "Failed", message: "it was told to restart, and has not" });
        return false;
      }
      if (this.#mayRestart && nowMs() - record.sinceMs >= SETTLE_MS) return true;
      await this.#pause();
    }
  }

  async #ask(): Promise<UpdateStatus | undefined> {
    const { signal } = this.#options;
    const timing = { everyMs: 3 * this.#pollMs, eachMs: ANSWER_MS, allMs: ANSWER_MS };
    try {
      return await firstAnswer(async (each) => this.#node.status(each), timing, signal);
    } catch (error) {
      // What is there says something else than it should; what follows from that, the rest of the turn decides.
      if (!(error instanceof AshlarError) || error.code === "interrupted") throw error;
      return undefined;
    }
  }

  /** Why it may not be restarted; undefined when nothing is left on it, and that is written down. */
  async #drain(status: UpdateStatus): Promise<string | undefined> {
    const { policy, goal, tell, signal, hooks } = this.#options;
    if (!(await this.#passes(hooks?.beforeReboot, "BeforeReboot", "Draining"))) return REFUSED;
    let said = "";
    const { problem } = await drainMember(this.#member, {
      ...policy,
      release: goal.target,
      onBlocked: (blocked) => {
        const message = blocked.map(describeBlocked).join("; ");
        // The same pods are looked at every few seconds.
        if (message !== said) void tell({ kind: "waits", message }).catch(() => undefined);
        said = message;
      },
      signal,
    });
    if (problem !== undefined) return problem;
    if (!this.#mayRestart || !(await tell({ kind: "drained", bootId: status.bootId }))) return REFUSED;
    this.#left = status.bootId;
    return undefined;
  }

  /**
   * A check, where there is one and it was not passed before. It is over when that is written down: only then is what belongs to it
   * removed, so that nobody is asked twice when this is interrupted.
   *
   * @returns false when it cannot be gone on now
   */
  async #passes(
    hook: Hook | undefined,
    state: "BeforeReboot" | "AfterReboot",
    next: "Draining" | "Uncordoning",
  ): Promise<boolean> {
    const { record, tell, signal } = this.#options;
    const isDue = state === "BeforeReboot" ? record.state === state : record.state !== next;
    if (hook !== undefined && isDue) {
      const say = (message: string): void => void tell({ kind: "waits", message }).catch(() => undefined);
      if (state === "AfterReboot") await this.#reached(state);
      await untilAgreed(this.#member, hook, { say, pollMs: this.#hookMs, signal });
    }
    // Who is held is still told to be so while it is given back: then it is done at once.
    if (record.state !== "Held" && isDue && !(await this.#reached(next)) && next === "Draining") return false;
    if (hook !== undefined) await untilEnded(this.#member, hook, { pollMs: this.#pollMs, signal });
    return true;
  }

  /** What is only passed is not waited for: when it is lost, the next look at the node tells it again. */
  async #progress(status: UpdateStatus | undefined): Promise<void> {
    if (this.#left === undefined || status === undefined || status.bootId === this.#left) return;
    if (this.#seen === status.bootId) return;
    this.#seen = status.bootId;
    await this.#reached("Proving").catch(() => undefined);
  }

  async #reached(state: Extract<NodeEvent, { kind: "reached" }>["state"]): Promise<boolean> {
    return await this.#options.tell({ kind: "reached", state });
  }

  async #notRestarted(
    { bootId }: TurnResult,
    { code, message }: { readonly code: string; readonly message: string },
  ): Promise<void> {
    const { tell, record } = this.#options;
    // Whoever was told to restart, and does not answer, may be restarting.
    if (this.#left !== undefined && bootId === undefined) {
      await tell({ kind: "ended", how: "Held", message });
      return;
    }
    // It was told to leave this boot, and the rollout has halted since: it is looked at again, and waited for.
    if (message === REFUSED && record.restartedFrom !== undefined) return;
    // One that is silent now may answer later, as one whose pods do not go now may be drained later.
    const isPassing = code === "not-drained" || code === "no-answer";
    await tell({ kind: "ended", how: isPassing ? "Blocked" : "Failed", message });
  }

  /** It runs what it was told, or has restarted into something else: it takes pods again when that is proven, and Ready. */
  async #comeHome(turn: TurnResult): Promise<void> {
    const { goal, tell, signal, hooks } = this.#options;
    const hook = this.#left === undefined ? undefined : hooks?.afterReboot;
    let isAgreed = false;
    const startMs = performance.now();
    const isProven = turn.proven !== undefined;
    if (isProven) await this.#reached("Rejoining");
    const facts = {
      end: turn.end,
      bootId: turn.bootId,
      isProven,
      hasRestarted: this.#left !== undefined,
      timeoutMs: goal.bootTimeoutMs,
    };
    while (true) {
      throwIfInterrupted(signal);
      const member = await lookIfPossible(this.#member, signal);
      const step = nextRejoinStep({ ...facts, member, waitedMs: performance.now() - startMs });
      if (step.kind === "end") {
        await tell({ kind: "ended", ...endOf(step.end, isProven, member) });
        return;
      }
      if (step.kind === "uncordon") {
        if (!isAgreed) await this.#passes(hook, "AfterReboot", "Uncordoning");
        isAgreed = true;
        await unlessUnavailable(this.#member.uncordon(signal));
      } else await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    await sleep(this.#pollMs, undefined, { signal: this.#options.signal }).catch(() => undefined);
  }

  get #hookMs(): number {
    return this.#options.pollMs ?? HOOK_MS;
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? POLL_MS;
  }
}

/** How a turn has ended of a node that has restarted, or runs the release. */
export function endOf(
  end: TurnResult["end"],
  isProven: boolean,
  member: RejoinFacts["member"],
): { readonly how: NodeEnd; readonly message: string } {
  const isOurs = typeof member !== "object" || member.cordon === "ours";
  if (end.kind === "done") return isOurs ? held("it is still cordoned") : { how: "Done", message: "" };
  const { code, message } = end.reason;
  return code === "fell-back" && isProven && !isOurs ? { how: "FellBack", message } : held(message);
}

function held(message: string): { readonly how: NodeEnd; readonly message: string } {
  return { how: "Held", message };
}
