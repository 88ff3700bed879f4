import { compareVersions } from "@ashlar/formats";
import type { ReleaseFailure, UpdateStatus } from "@ashlar/protocol";

/** What is wanted of one node. */
export type Goal = {
  /** The release that it shall run. */
  readonly target: string;
  /** How the node is told: to fetch and install the release, or to go back to the one in its other slot. */
  readonly order: "update" | "rollback";
  /** Whether to restart it into the release, or only to stage it. */
  readonly reboot: boolean;
  readonly allowDowngrade: boolean;
  /** Also when the release has failed on this node before. */
  readonly retry: boolean;
  /** How long a node may take from its restart until it is found healthy, with all its tries. */
  readonly bootTimeoutMs: number;
};

/** What has been done and learnt in this turn. */
export type TurnState = {
  /** The turn goes on with one that was interrupted: the node may be restarting. */
  readonly resumed: boolean;
  readonly ordered: boolean;
  /** The boot that was told to restart. */
  readonly rebootedFrom: string | undefined;
  readonly proof: Proof | undefined;
  readonly nextBoot: Proof | undefined;
};

/** What evidence says about one boot of the node. */
export type Proof = {
  readonly bootId: string;
  /** Undefined: proven as what the node says it runs, or boots next. Else what is different. */
  readonly problem: string | undefined;
};

export type Facts<Status = UpdateStatus> = {
  /** Undefined: no answer. */
  readonly status: Status | undefined;
  /** Since the last answer, or since the beginning. */
  readonly silentMs: number;
  /** Since the last order, or since the beginning. */
  readonly waitedMs: number;
  /** How long the node has been seen in the boot that it is in. */
  readonly sameBootMs: number;
};

export type Step =
  | { readonly kind: "prove" | "order" | "prove-next-boot" | "reboot" }
  /** Only of members of a cluster. */
  | { readonly kind: "foresee-drain" | "drain" | "uncordon" }
  | { readonly kind: "wait"; readonly what: "answer" | "staging" | "restart" | "health" | "rejoin" }
  | { readonly kind: "done"; readonly how: "updated" | "already" | "staged" }
  | { readonly kind: "stop"; readonly reason: StopReason };

export type End = Extract<Step, { readonly kind: "done" | "stop" }>;

export type StopReason = {
  readonly code: StopCode;
  readonly message: string;
  readonly hint?: string;
  /** The node's own record of why the release was given up there. */
  readonly failure?: ReleaseFailure;
};

/**
 * - `no-answer`: the node cannot be reached.
 * - `not-proven`: it is not what it was declared to be, or not what it should be after its restart.
 * - `next-boot-not-proven`: something else than the release would boot.
 * - `busy`: it carries out another order.
 * - `refused`: it does not take the order.
 * - `downgrade`: the release is older and nobody said that this is wanted.
 * - `failed-before`: the release was tried on this node and given up.
 * - `staging-failed`: it could not fetch or install the release.
 * - `fell-back`: the release did not become healthy, and the node rolled back to the old one on its own.
 * - `not-back`: it did not come back, or was not found healthy, in time.
 * - `not-drained`: its pods could not be moved away, so it was not restarted; or it is clear that they cannot, and it was told nothing.
 * - `not-ready`: it runs the target, proven, but has not become a ready member of its cluster again.
 */
export const STOP_CODES = [
  "no-answer",
  "not-proven",
  "next-boot-not-proven",
  "busy",
  "refused",
  "downgrade",
  "failed-before",
  "staging-failed",
  "fell-back",
  "not-back",
  "not-drained",
  "not-ready",
] as const;
export type StopCode = (typeof STOP_CODES)[number];

export const NEW_TURN: TurnState = {
  resumed: false,
  ordered: false,
  rebootedFrom: undefined,
  proof: undefined,
  nextBoot: undefined,
};

/** A node may be silent for this long: its agent ends when nobody asks, and on a loaded node it starts slowly. */
export const MAX_SILENCE_MS = 120_000;
/** A node that fell back writes its record of the failure soon after it has started. */
const MAX_RECORD_WAIT_MS = 60_000;

/**
 * Decides what to do next in a node's turn. It follows from what the node says now and what this turn has done: there is
 * no place in a script to lose, so that an interrupted update goes on when it is repeated.
 */
export function nextStep(goal: Goal, state: TurnState, facts: Facts): Step {
  const { status } = facts;
  if (status === undefined) return whileSilent(goal, state, facts);
  if (status.version === goal.target) return onTarget(goal, state, facts, status);
  if (state.rebootedFrom !== undefined) return afterReboot(goal, state, facts, status);
  return beforeReboot(goal, state, facts, status);
}

function whileSilent(goal: Goal, state: TurnState, { silentMs, waitedMs }: Facts): Step {
  const restarts = state.rebootedFrom !== undefined || state.resumed;
  if (restarts && waitedMs <= goal.bootTimeoutMs) return { kind: "wait", what: "restart" };
  if (state.rebootedFrom !== undefined) return notBack(goal, "it does not answer");
  if (silentMs <= MAX_SILENCE_MS) return { kind: "wait", what: "answer" };
  return stop("no-answer", "it does not answer");
}

function onTarget(goal: Goal, state: TurnState, facts: Facts, status: UpdateStatus): Step {
  if (status.trial) return awaitHealth(goal, facts, status);
  const judged = judgeRunning(state, status);
  if (judged !== undefined) return judged;
  if (status.staged !== null) return unstage(state, status, status.staged);
  const how = state.rebootedFrom === undefined && !state.resumed ? "already" : "updated";
  return { kind: "done", how };
}

/** It runs the target, but would boot another release next. */
function unstage(state: TurnState, status: UpdateStatus, staged: string): Step {
  if (!state.ordered) return { kind: "order" };
  if (status.phase !== "idle") return { kind: "wait", what: "staging" };
  const why = status.lastError === null ? "" : `: ${status.lastError.message}`;
  return stop("staging-failed", `it would still boot ${staged} next${why}`);
}

function awaitHealth(goal: Goal, { waitedMs }: Facts, { version, health }: UpdateStatus): Step {
  if (waitedMs <= goal.bootTimeoutMs) return { kind: "wait", what: "health" };
  const failing = health?.checks.find(({ passed }) => !passed);
  const why = failing === undefined ? "no check has failed" : `${failing.name}: ${failing.message}`;
  return notBack(goal, `${version} has not been found healthy (${why})`);
}

function afterReboot(goal: Goal, state: TurnState, facts: Facts, status: UpdateStatus): Step {
  if (status.bootId === state.rebootedFrom) {
    if (facts.waitedMs <= goal.bootTimeoutMs) return { kind: "wait", what: "restart" };
    return notBack(goal, "it has not restarted");
  }
  const failure = status.failures.find(({ version }) => version === goal.target);
  if (failure === undefined && facts.sameBootMs <= MAX_RECORD_WAIT_MS) return { kind: "wait", what: "answer" };
  if (state.proof?.bootId !== status.bootId) return { kind: "prove" };
  const problem = state.proof.problem === undefined ? "" : `; and it is not proven: ${state.proof.problem}`;
  const message = `it rolled back to ${status.version} on its own${belowMinimum(status)}: ${describeFailure(goal.target, failure)}${problem}`;
  return stop("fell-back", message, failure === undefined ? {} : { failure });
}

/** An operator cannot order what a failed trial ends in. */
function belowMinimum({ version, minimumVersion }: UpdateStatus): string {
  if (minimumVersion === null || compareVersions(version, minimumVersion) >= 0) return "";
  return `, below ${minimumVersion}, the oldest that its channel allows`;
}

function beforeReboot(goal: Goal, state: TurnState, facts: Facts, status: UpdateStatus): Step {
  const { target } = goal;
  // The other slot may hold the only release that is known to work.
  if (status.trial) return awaitHealth(goal, facts, status);
  const judged = judgeRunning(state, status);
  if (judged !== undefined) return judged;
  if (goal.order === "update" && !goal.allowDowngrade && compareVersions(target, status.version) < 0) {
    return stop("downgrade", `${target} is older than ${status.version} (currently running)`, {
      hint: "use --allow-downgrade if that is intended",
    });
  }
  if (status.phase !== "idle") {
    if (state.ordered || status.target === target) return { kind: "wait", what: "staging" };
    return stop("busy", `it is ${status.phase} ${status.target ?? "another release"}`, {
      hint: "repeat this when it has finished",
    });
  }
  if (status.staged === target) return whenStaged(goal, state, status);
  if (state.ordered) return stagingFailed(target, status);
  const failure = status.failures.find(({ version }) => version === target);
  if (failure === undefined || goal.retry || goal.order === "rollback") return { kind: "order" };
  return stop("failed-before", `${target} was given up on it: ${describeFailure(target, failure)}`, {
    failure,
    hint: "use --retry to try it again",
  });
}

function whenStaged(goal: Goal, { nextBoot }: TurnState, { bootId }: UpdateStatus): Step {
  if (nextBoot?.bootId !== bootId) return { kind: "prove-next-boot" };
  if (nextBoot.problem !== undefined) {
    return stop("next-boot-not-proven", `${goal.target} would not boot next: ${nextBoot.problem}`);
  }
  return goal.reboot ? { kind: "reboot" } : { kind: "done", how: "staged" };
}

function stagingFailed(target: string, { lastError }: UpdateStatus): Step {
  if (lastError === null) return stop("staging-failed", `it ended without having staged ${target}`);
  const hint = lastError.hint === undefined ? {} : { hint: lastError.hint };
  return stop("staging-failed", lastError.message, hint);
}

/** What is left to do about the proof of the boot that the node is in; undefined when it is proven. */
function judgeRunning({ proof }: TurnState, { bootId }: UpdateStatus): Step | undefined {
  if (proof?.bootId !== bootId) return { kind: "prove" };
  return proof.problem === undefined ? undefined : stop("not-proven", proof.problem);
}

function notBack({ bootTimeoutMs }: Goal, what: string): Step {
  return stop("not-back", `${what} after ${Math.round(bootTimeoutMs / 1000)} s`);
}

export function stop(code: StopCode, message: string, more: { hint?: string; failure?: ReleaseFailure } = {}): Step {
  return { kind: "stop", reason: { code, message, ...more } };
}

function describeFailure(target: string, failure: ReleaseFailure | undefined): string {
  if (failure === undefined) return `${target} left no record of why`;
  return failure.message === "" ? failure.check : `${failure.check}: ${failure.message}`;
}
