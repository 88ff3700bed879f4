import type { ClusterEvent, Condition, MarkedNode, NodeClassStatus, NodeProofStatus, Quarantine } from "@ashlar/kube";
import type { Said } from "./conditions.ts";
import { mayLoseWork, type Finding, type QuarantineDecision } from "./quarantine.ts";

/** What was found of a node, as it stands in its NodeProof. */
export function findingOf(
  proof: NodeProofStatus | undefined,
  { uid }: Pick<MarkedNode, "uid">,
  isCurrent: boolean,
): Finding {
  const proven = proof?.conditions?.find(({ type }) => type === "Proven");
  if (proven === undefined) return { kind: "unknown", message: "it was never asked" };
  const { status, reason, lastTransitionTime } = proven;
  const message = proven.message === "" ? reason : proven.message;
  if (status === "Unknown") return { kind: "unknown", message };
  if (status === "True") return { kind: proof?.nodeUid === uid ? "proven" : "unsettled" };
  return isCurrent ? { kind: "mismatch", message, sinceMs: Date.parse(lastTransitionTime) } : { kind: "unsettled" };
}

/**
 * Whether a node has never had work: it has come since its class' quarantine is enforced, and has not been proven since it has come.
 * Where that is only warned of, who was never proven would be one that comes.
 */
export function isNewNode(
  { uid, createdAt }: Pick<MarkedNode, "uid" | "createdAt">,
  proof: NodeProofStatus | undefined,
  { mode }: Quarantine,
  { conditions = [] }: NodeClassStatus,
): boolean {
  if (proof?.nodeUid === uid) return false;
  if (mode !== "enforce") return true;
  const enforced = conditions.find(({ type, status }) => type === "Quarantine" && status === "True");
  const sinceMs = Date.parse(enforced?.lastTransitionTime ?? "");
  // A Node's time has whole seconds.
  return Date.parse(createdAt) >= Math.floor(sinceMs / 1000) * 1000;
}

export const CLASS_QUARANTINE_REASONS = ["WarnOnly", "Enforced", "LimitReached", "NotAllowed"] as const;

/**
 * What is said of a class. True for as long as it is enforced: since when tells which nodes are new.
 *
 * @param own of its nodes
 * @param total how many Nodes the cluster has
 * @param refusal why the API server lets nothing be tainted
 */
export function classQuarantine(
  policy: Quarantine,
  own: readonly QuarantineDecision[],
  total: number,
  refusal: string | undefined,
): (Said & { readonly reason: (typeof CLASS_QUARANTINE_REASONS)[number] }) | undefined {
  if (policy.mode === "none") return undefined;
  const count = (wanted: string): number =>
    own.filter(({ said }) => typeof said === "object" && said.reason === wanted).length;
  if (policy.mode === "warn") {
    return { status: "False", reason: "WarnOnly", message: `${nodes(count("WarnOnly"))} would be tainted` };
  }
  if (refusal !== undefined) {
    const message = `${refusal}; deploy/operator/quarantine-rights.yaml has the rights`;
    return { status: "True", reason: "NotAllowed", message };
  }
  const refused = count("LimitReached");
  if (refused === 0) return { status: "True", reason: "Enforced", message: "nodes that are not proven are tainted" };
  const message = `${nodes(refused)} would be tainted, and as many have lost work as may, ${mayLoseWork(policy, total)} of ${total}: is what the class declares what they are to be?`;
  return { status: "True", reason: "LimitReached", message };
}

function nodes(count: number): string {
  return count === 1 ? "1 node" : `${count} nodes`;
}

/** What is told of a class: that its quarantine cannot do what it should, and that it can again. */
export function classEvents(before: NodeClassStatus, now: NodeClassStatus): readonly Omit<ClusterEvent, "about">[] {
  const [was, is] = [find(before), find(now)];
  if (is === undefined || was?.reason === is.reason) return [];
  const isWrong = ({ reason }: Condition): boolean => reason === "LimitReached" || reason === "NotAllowed";
  const isOver = was !== undefined && isWrong(was);
  return isWrong(is) || isOver ? [{ isWarning: isWrong(is), reason: is.reason, note: is.message }] : [];
}

function find({ conditions = [] }: NodeClassStatus): Condition | undefined {
  return conditions.find(({ type }) => type === "Quarantine");
}
