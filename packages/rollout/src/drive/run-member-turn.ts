import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import type { UpdateStatus } from "@ashlar/protocol";
import type { DrainPolicy } from "../cluster/drain.ts";
import { nextRejoinStep, type RejoinFacts } from "../cluster/rejoin.ts";
import type { End, Goal } from "../turn/turn.ts";
import type { ClusterResult } from "../turn/update-result.ts";
import { drainMember, foreseeDrain, type DrainResult, type MemberAccess } from "./drain-member.ts";
import { runTurn, type NodeAccess, type TurnOptions, type TurnResult } from "./run-turn.ts";

export type MemberTurnOptions = Omit<TurnOptions, "drain" | "foreseeDrain"> & {
  readonly member: MemberAccess;
  readonly policy: DrainPolicy;
};

export type MemberTurnResult = TurnResult & { readonly cluster: ClusterResult };

const POLL_MS = 2000;
/** For taking back a cordon after an interruption: the person waits. */
const GIVE_BACK_MS = 30_000;

/**
 * Does the turn of a node that is a member of a cluster: it is drained before it restarts, and takes pods again when it is
 * proven and ready. When the turn ends without a restart, for whatever reason, the node is left as it was found.
 */
export async function runMemberTurn(
  node: NodeAccess,
  goal: Goal,
  { member, policy, ...options }: MemberTurnOptions,
): Promise<MemberTurnResult> {
  let drained: DrainResult | undefined;
  let hasBegun = false;
  let hasRestarted = false;
  // Set before: the answer to the order to restart may be lost with the connection.
  const onReboot = (): void => void (hasRestarted = true);
  const drain = async (status: UpdateStatus, signal: AbortSignal): Promise<string | undefined> => {
    hasBegun = true;
    drained = await drainMember(member, {
      ...policy,
      release: goal.target,
      onBlocked: (blocked) => options.onEvent({ node: node.name, step: { kind: "drain" }, status, blocked }),
      signal,
    });
    return drained.problem;
  };
  try {
    const turn = await runTurn(withOnReboot(node, onReboot), goal, {
      ...options,
      foreseeDrain: async (signal) => await foreseeDrain(member, policy, signal),
      drain,
    });
    const restarted = turn.hasRestarted || (options.resumed && !hasBegun);
    const { end, note, member: last } = await rejoin(member, { ...turn, hasRestarted: restarted }, goal, options);
    const { evicted = 0, blocked = [] } = drained ?? {};
    const isCordoned = typeof last === "object" ? last.cordon !== "none" : null;
    return {
      ...turn,
      end: withNote(end, note),
      cluster: { evicted, blocked, cordoned: isCordoned, note: note ?? null },
    };
  } catch (error) {
    if (hasBegun && !hasRestarted) await giveBack(member);
    throw error;
  }
}

function withOnReboot(node: NodeAccess, onReboot: () => void): NodeAccess {
  return {
    name: node.name,
    status: async (signal) => node.status(signal),
    prove: async (version, signal) => node.prove(version, signal),
    proveNextBoot: async (version, signal) => node.proveNextBoot(version, signal),
    order: async (goal, signal) => node.order(goal, signal),
    reboot: async (signal) => {
      onReboot();
      await node.reboot(signal);
    },
  };
}

type Rejoined = { readonly end: End; readonly note: string | undefined; readonly member: RejoinFacts["member"] };

/** What the nodes before have become must not be lost because the API server refuses to say anything about this one. */
async function rejoin(
  access: MemberAccess,
  turn: TurnResult,
  goal: Goal,
  options: Pick<TurnOptions, "onEvent" | "signal">,
): Promise<Rejoined> {
  try {
    return await waitForRejoin(access, turn, goal, options);
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code === "interrupted") throw error;
    const note = `it may still be cordoned: ${error.message}`;
    const { end } = turn;
    if (end.kind === "stop" || end.how === "staged") return { end, note, member: undefined };
    return { end: { kind: "stop", reason: { code: "not-ready", message: note } }, note: undefined, member: undefined };
  }
}

/** Waits until the node may take pods again, or until it is clear that it will not. */
async function waitForRejoin(
  access: MemberAccess,
  turn: TurnResult,
  goal: Goal,
  { onEvent, signal }: Pick<TurnOptions, "onEvent" | "signal">,
): Promise<Rejoined> {
  const startMs = performance.now();
  const facts = {
    end: turn.end,
    bootId: turn.bootId,
    isProven: turn.proven !== undefined,
    hasRestarted: turn.hasRestarted,
    timeoutMs: goal.bootTimeoutMs,
  };
  while (true) {
    throwIfInterrupted(signal);
    const member = await lookIfPossible(access, signal);
    const step = nextRejoinStep({ ...facts, member, waitedMs: performance.now() - startMs });
    if (step.kind === "end") return { ...step, member };
    if (step.kind === "uncordon") {
      onEvent({ node: access.name, step: { kind: "uncordon" }, status: undefined });
      await unlessUnavailable(access.uncordon(signal));
    } else {
      onEvent({ node: access.name, step: { kind: "wait", what: "rejoin" }, status: undefined });
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

export async function lookIfPossible(access: MemberAccess, signal: AbortSignal): Promise<RejoinFacts["member"]> {
  const look = async (): Promise<RejoinFacts["member"]> => {
    try {
      return await access.look(signal);
    } catch (error) {
      if (error instanceof AshlarError && error.code === "not-found") return "gone";
      throw error;
    }
  };
  return await unlessUnavailable(look());
}

/** A restarting control plane is waited for like a Node that is not Ready. */
export async function unlessUnavailable<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AshlarError && PASSING.has(error.code)) return undefined;
    throw error;
  }
}

const PASSING: ReadonlySet<string> = new Set(["unavailable", "not-found", "conflict"]);

function withNote(end: End, note: string | undefined): End {
  if (end.kind !== "stop" || note === undefined) return end;
  return { kind: "stop", reason: { ...end.reason, message: `${end.reason.message}; ${note}` } };
}

/** Also when the person has pressed Ctrl-C: what cannot be taken back now is noted on the Node, and the next run does it. */
async function giveBack(member: MemberAccess): Promise<void> {
  try {
    await member.uncordon(AbortSignal.timeout(GIVE_BACK_MS));
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
  }
}
