import { TAINT, type OwnTaint, type Quarantine, type TaintEffect } from "@ashlar/kube";
import type { Said } from "./conditions.ts";

/** A node whose class says what happens to nodes that are not proven. */
export type QuarantineNode = {
  readonly name: string;
  readonly policy: Quarantine;
  /** It has come since this is enforced, and has not been proven since it has come: it has never had work. */
  readonly isNew: boolean;
  readonly finding: Finding;
  readonly taints: readonly OwnTaint[];
};

export type Finding =
  | { readonly kind: "proven" }
  /** It has proved to be something else than what its class says now. */
  | { readonly kind: "mismatch"; readonly message: string; readonly sinceMs: number }
  | { readonly kind: "unknown"; readonly message: string }
  /** What was found is about another class, or another Node of its name: it is asked soon. */
  | { readonly kind: "unsettled" };

export type QuarantineDecision = {
  /** The taints of ours that it is to have; `keep`: those that it has. */
  readonly effects: readonly TaintEffect[] | "keep";
  /** Its condition; undefined: none, since its class does not ask for that. */
  readonly said: (Said & { readonly reason: QuarantineReason }) | "keep" | undefined;
};

export const QUARANTINE_REASONS = [
  "NotProvenYet",
  "Mismatch",
  "MustLeave",
  "NothingKnown",
  "Admitted",
  "LimitReached",
  "WarnOnly",
] as const;

/**
 * - `NotProvenYet`: tainted, since it has come and was not proven since. It has never had work.
 * - `Mismatch`: tainted, since it has proved to be something else.
 * - `MustLeave`: the same for so long that its pods have to leave.
 * - `NothingKnown`: tainted, since nothing is known of it any more and its class asks for that.
 * - `Admitted`: it takes work.
 * - `LimitReached`: it would be tainted, and as many are as may be.
 * - `WarnOnly`: it would be tainted if that were enforced.
 */
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

type Loss = { readonly reason: "Mismatch" | "NothingKnown"; readonly message: string; readonly sinceMs: number };

/**
 * Which nodes are tainted. A node that has never had work costs the cluster nothing; of those that lose it there are never more than
 * the class allows, so that a wrong declaration, which makes all nodes something else, does not empty the cluster. Who is tainted stays so
 * until it is proven.
 *
 * @param total how many Nodes the cluster has, of whatever class
 */
export function decideQuarantine(
  nodes: readonly QuarantineNode[],
  total: number,
  nowMs: number,
): ReadonlyMap<string, QuarantineDecision> {
  const losing = nodes.flatMap((node) => {
    const loss = node.policy.mode === "enforce" && !node.isNew ? lossOf(node) : undefined;
    return loss === undefined ? [] : [{ node, loss }];
  });
  let count = nodes.filter((node) => losesWork(node)).length;
  const refused = new Set<string>();
  const waiting = losing.filter(({ node }) => !isTainted(node));
  for (const { node } of waiting.toSorted((a, b) => a.loss.sinceMs - b.loss.sinceMs || compare(a.node, b.node))) {
    if (count < mayLoseWork(node.policy, total)) count += 1;
    else refused.add(node.name);
  }
  const mayEvict = refused.size === 0;
  return new Map(
    nodes.map((node) => {
      const limit = refused.has(node.name) ? mayLoseWork(node.policy, total) : undefined;
      return [node.name, onceItIsSo(node, decide(node, limit, total, mayEvict, nowMs))];
    }),
  );
}

/** One at least, or nothing would ever be tainted, and never all. */
export function mayLoseWork({ maxPercent }: Quarantine, total: number): number {
  return Math.min(Math.max(1, Math.floor((total * maxPercent) / 100)), total - 1);
}

function compare(a: QuarantineNode, b: QuarantineNode): number {
  return a.name < b.name ? -1 : 1;
}

function isTainted({ taints }: QuarantineNode): boolean {
  return taints.length > 0;
}

/** It is tainted, stays so for now, and has had work before. */
function losesWork(node: QuarantineNode): boolean {
  return isTainted(node) && node.policy.mode === "enforce" && !node.isNew && node.finding.kind !== "proven";
}

/** Why a node that has had work is to have none; undefined when nothing speaks against it. */
function lossOf({ finding, policy }: QuarantineNode): Loss | undefined {
  if (finding.kind === "mismatch") return { reason: "Mismatch", ...finding };
  if (finding.kind !== "unknown" || !policy.alsoUnknown) return undefined;
  return { reason: "NothingKnown", message: finding.message, sinceMs: Number.POSITIVE_INFINITY };
}

function decide(
  node: QuarantineNode,
  limit: number | undefined,
  total: number,
  mayEvict: boolean,
  nowMs: number,
): QuarantineDecision {
  const { policy, isNew, finding } = node;
  if (policy.mode === "none") return { effects: [], said: undefined };
  if (finding.kind === "proven") return ADMITTED;
  const loss = lossOf(node);
  const why = finding.kind === "unsettled" ? "it is asked soon" : finding.message;
  const isWarning = policy.mode === "warn";
  if (finding.kind === "unsettled" && (isWarning || !isNew)) return { effects: isWarning ? [] : "keep", said: "keep" };
  if (isWarning) return loss === undefined && !isNew ? ADMITTED : warned(why);
  const effects: readonly TaintEffect[] = mustLeave(node, mayEvict, nowMs) ? ["NoSchedule", "NoExecute"] : ONE;
  if (effects.length > 1) return tainted(effects, "MustLeave", why);
  if (isNew) return tainted(effects, "NotProvenYet", why);
  // Only a proof takes back what a mismatch has brought.
  if (loss === undefined) return isTainted(node) ? { effects: "keep", said: "keep" } : ADMITTED;
  if (limit === undefined) return tainted(effects, loss.reason, why);
  const message = `it would have the taint ${TAINT}, and as many have lost work as may, ${limit} of ${total}: ${why}`;
  return { effects: [], said: { status: "False", reason: "LimitReached", message } };
}

/** It is said of a node that it is tainted, or takes work, when it does. */
function onceItIsSo({ taints }: QuarantineNode, { effects, said }: QuarantineDecision): QuarantineDecision {
  const isSo = effects === "keep" || hasJust(taints, effects);
  return { effects, said: isSo ? said : "keep" };
}

/** Whether these are the taints of ours that a Node has. */
export function hasJust(taints: readonly OwnTaint[], effects: readonly TaintEffect[]): boolean {
  return taints.length === effects.length && taints.every(({ effect }) => effects.includes(effect));
}

const ONE: readonly TaintEffect[] = ["NoSchedule"];
const ADMITTED: QuarantineDecision = {
  effects: [],
  said: { status: "False", reason: "Admitted", message: "it takes work" },
};

function warned(why: string): QuarantineDecision {
  const message = `it would have the taint ${TAINT} if the quarantine of its class were enforced: ${why}`;
  return { effects: [], said: { status: "False", reason: "WarnOnly", message } };
}

function tainted(effects: readonly TaintEffect[], reason: QuarantineReason, why: string): QuarantineDecision {
  return { effects, said: { status: "True", reason, message: `it has the taint ${TAINT}: ${why}` } };
}

/** Whoever has been told once that its pods have to leave is not told otherwise until it is proven. */
function mustLeave({ finding, policy, taints }: QuarantineNode, mayEvict: boolean, nowMs: number): boolean {
  if (finding.kind !== "mismatch") return false;
  if (taints.some(({ effect }) => effect === "NoExecute")) return true;
  const own = taints.find(({ effect }) => effect === "NoSchedule");
  if (own === undefined || policy.evictAfterSeconds === undefined || !mayEvict) return false;
  const addedMs = Date.parse(own.addedAt ?? "");
  const sinceMs = Number.isNaN(addedMs) ? finding.sinceMs : Math.max(finding.sinceMs, addedMs);
  return nowMs - sinceMs >= policy.evictAfterSeconds * 1000;
}
