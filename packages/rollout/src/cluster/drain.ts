import { choosePods, type DrainLimits } from "./choose-pods.ts";
import { nameOfPod, type EvictionAnswer, type Member, type Pod } from "./member.ts";

export type DrainPolicy = DrainLimits & {
  /** How long all of a node's pods together may take to go. */
  readonly timeoutMs: number;
  /** Undefined: what each pod says itself. */
  readonly graceSeconds: number | undefined;
  /** Labels: a pod that has all of one of these keeps its node from being cordoned. */
  readonly blockedBy?: readonly Readonly<Record<string, string>>[];
};

/** What has been done in this drain. */
export type DrainState = {
  /** By UID: pods whose eviction the server has been asked about without doing it. */
  readonly rehearsed: ReadonlyMap<string, EvictionAnswer>;
  /** By UID: the last answer to an eviction, and when it came. */
  readonly asked: ReadonlyMap<string, { readonly answer: EvictionAnswer; readonly atMs: number }>;
  /** By UID: the PodDisruptionBudgets that match a pod whose eviction was not allowed. */
  readonly budgets: ReadonlyMap<string, readonly string[]>;
};

export const NEW_DRAIN: DrainState = { rehearsed: new Map(), asked: new Map(), budgets: new Map() };

export type DrainFacts = {
  readonly member: Member;
  readonly pods: readonly Pod[];
  /** Since the drain has begun. */
  readonly elapsedMs: number;
};

export type DrainStep =
  /** Asks the server what it would say, so that a drain which cannot end is not begun. */
  | { readonly kind: "rehearse" | "evict"; readonly pods: readonly Pod[] }
  | { readonly kind: "cordon" }
  | { readonly kind: "done" }
  | { readonly kind: "wait"; readonly forMs: number; readonly blocked: readonly BlockedPod[] }
  | { readonly kind: "stop"; readonly code: DrainStop; readonly blocked: readonly BlockedPod[] };

/**
 * - `refused-pods`: pods that may be lost only when somebody says so.
 * - `refused-evictions`: the server refuses evictions in a way that no retry changes.
 * - `timeout`: pods have not gone in time.
 */
export type DrainStop = "refused-pods" | "refused-evictions" | "timeout";

/** A pod that is still there, and why. */
export type BlockedPod = {
  readonly namespace: string;
  readonly name: string;
  /** Names of PodDisruptionBudgets. */
  readonly budgets: readonly string[];
  readonly message: string;
};

/** As kubectl waits after an answer of 429 without Retry-After. */
const RETRY_MS = 5000;
/** An eviction that was accepted is seen by the watch; asking again is for one that has been lost. */
const ACCEPTED_RETRY_MS = 30_000;
const MAX_RETRY_MS = 60_000;
/** Where nothing is due, only a change of the list matters. */
const MAX_WAIT_MS = 30_000;

/**
 * Decides what to do next so that a node's pods go. It follows from what is there now, as in a node's turn: pods that
 * appear meanwhile count, and a node that somebody has uncordoned is cordoned again. A drain has ended when nothing is
 * left that has to go, and in no other way.
 */
export function nextDrainStep(policy: DrainPolicy, state: DrainState, facts: DrainFacts): DrainStep {
  const { member, pods, elapsedMs } = facts;
  const { leaving, refused } = choosePods(pods, policy);
  if (refused.length > 0) {
    return { kind: "stop", code: "refused-pods", blocked: refused.map(({ pod, message }) => blockedPod(pod, message)) };
  }
  const keeping =
    member.cordon === "none" && state.asked.size === 0 ? pods.filter((pod) => keepsNode(pod, policy)) : [];
  if (keeping.length > 0) {
    const blocked = keeping.map((pod) => blockedPod(pod, "its labels are among those of drain.blockedBy"));
    if (elapsedMs >= policy.timeoutMs) return { kind: "stop", code: "timeout", blocked };
    return { kind: "wait", forMs: Math.max(1, Math.min(policy.timeoutMs - elapsedMs, MAX_WAIT_MS)), blocked };
  }
  const hopeless = leaving.filter(
    ({ uid, isTerminating }) => !isTerminating && lastAnswer(state, uid)?.kind === "refused",
  );
  if (hopeless.length > 0) {
    return { kind: "stop", code: "refused-evictions", blocked: hopeless.map((pod) => whyThere(pod, state)) };
  }
  if (member.cordon !== "none" && leaving.length === 0) return { kind: "done" };
  const blocked = leaving.map((pod) => whyThere(pod, state));
  if (elapsedMs >= policy.timeoutMs) return { kind: "stop", code: "timeout", blocked };
  const staying = leaving.filter(({ isTerminating }) => !isTerminating);
  const unknown = staying.filter(({ uid }) => !state.rehearsed.has(uid) && !state.asked.has(uid));
  if (member.cordon === "none" && unknown.length > 0) return { kind: "rehearse", pods: unknown };
  if (member.cordon === "none") return { kind: "cordon" };
  const due = staying.filter(({ uid }) => dueMs(state, uid) <= elapsedMs);
  if (due.length > 0) return { kind: "evict", pods: due };
  const nextMs = Math.min(policy.timeoutMs, ...staying.map(({ uid }) => dueMs(state, uid)));
  return { kind: "wait", forMs: Math.max(1, Math.min(nextMs - elapsedMs, MAX_WAIT_MS)), blocked };
}

/** Also one that a drain would leave: what it does must not be interrupted. */
function keepsNode({ hasEnded, labels }: Pod, { blockedBy = [] }: DrainPolicy): boolean {
  if (hasEnded) return false;
  return blockedBy.some((selector) =>
    Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value),
  );
}

function lastAnswer({ asked, rehearsed }: DrainState, uid: string): EvictionAnswer | undefined {
  return asked.get(uid)?.answer ?? rehearsed.get(uid);
}

/** When a pod's eviction is to be asked for: at once, or after the pause that the last answer calls for. */
function dueMs({ asked }: DrainState, uid: string): number {
  const last = asked.get(uid);
  if (last === undefined) return 0;
  const { answer, atMs } = last;
  if (answer.kind === "accepted") return atMs + ACCEPTED_RETRY_MS;
  const given = answer.kind === "budget" || answer.kind === "busy" ? answer.retryAfterMs : undefined;
  return atMs + Math.min(given ?? RETRY_MS, MAX_RETRY_MS);
}

function whyThere(pod: Pod, state: DrainState): BlockedPod {
  const budgets = state.budgets.get(pod.uid) ?? [];
  if (pod.isTerminating) return { ...blockedPod(pod, "it was told to end, and has not ended yet"), budgets };
  const answer = lastAnswer(state, pod.uid);
  const message =
    answer === undefined
      ? "its eviction has not been asked for yet"
      : "message" in answer
        ? answer.message
        : "its eviction was accepted, and it is still there";
  return { ...blockedPod(pod, message), budgets };
}

function blockedPod({ namespace, name }: Pod, message: string): BlockedPod {
  return { namespace, name, budgets: [], message };
}

/** For example `shop/web-1: PodDisruptionBudget web: needs 2 healthy pods and has 2`. */
export function describeBlocked(pod: BlockedPod): string {
  const { budgets, message } = pod;
  const names = budgets.length === 0 ? "" : `PodDisruptionBudget ${budgets.join(" and ")}: `;
  return `${nameOfPod(pod)}: ${names}${message}`;
}

const MAX_DESCRIBED = 10;

export function describeDrainStop({
  code,
  blocked,
}: {
  readonly code: DrainStop;
  readonly blocked: readonly BlockedPod[];
}): string {
  const first = blocked.slice(0, MAX_DESCRIBED).map(describeBlocked);
  const more = blocked.length > MAX_DESCRIBED ? [`and ${blocked.length - MAX_DESCRIBED} more`] : [];
  return `${WORDS[code]}: ${[...first, ...more].join("; ")}`;
}

const WORDS: Readonly<Record<DrainStop, string>> = {
  "refused-pods": "it cannot be drained without losing something",
  "refused-evictions": "the API server refuses evictions for good",
  timeout: "it could not be drained in time",
};
