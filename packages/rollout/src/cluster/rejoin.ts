import type { Member } from "./member.ts";
import type { End } from "../turn/turn.ts";

/** What is known when a node's turn in its cluster is about to end. */
export type RejoinFacts = {
  /** How the turn has ended so far. */
  readonly end: End;
  /** The boot that its agent was seen in last; undefined when it never answered. */
  readonly bootId: string | undefined;
  /** Whether what it runs now is proven. */
  readonly isProven: boolean;
  /** It was told to restart, in this turn or in the one that this goes on with. */
  readonly hasRestarted: boolean;
  /** `gone`: the API server knows no such Node. Undefined: it does not answer. */
  readonly member: Member | "gone" | undefined;
  readonly waitedMs: number;
  /** How long a node may take until its kubelet is Ready. */
  readonly timeoutMs: number;
};

export type RejoinStep =
  | { readonly kind: "wait" | "uncordon" }
  | { readonly kind: "end"; readonly end: End; readonly note: string | undefined };

/**
 * Decides when a node takes pods again: when it is proven and Ready in the boot that was proven, and only if this program
 * had cordoned it. A node that has not restarted gets back what it had, whatever else has happened to it.
 */
export function nextRejoinStep(facts: RejoinFacts): RejoinStep {
  const { end, member, hasRestarted, isProven } = facts;
  if (end.kind === "done" && end.how === "staged") return { kind: "end", end, note: undefined };
  if (!hasRestarted && end.kind === "stop") return giveBack(facts);
  // It is at least one that was proven before: who fell back serves on as the release that it has.
  if (!isProven) return over(facts, "what it runs is not proven");
  // A kubelet that starts makes its Node anew.
  if (member === undefined || member === "gone" || !isBack(facts, member)) return awaitMember(facts);
  if (member.cordon === "ours") return { kind: "uncordon" };
  return over(facts, undefined);
}

function giveBack(facts: RejoinFacts): RejoinStep {
  const { member, waitedMs, timeoutMs } = facts;
  if (isOurs(member)) return { kind: "uncordon" };
  if (member !== undefined || waitedMs > timeoutMs) return over(facts, undefined);
  return { kind: "wait" };
}

function awaitMember(facts: RejoinFacts): RejoinStep {
  const { end, member, waitedMs, timeoutMs } = facts;
  if (waitedMs <= timeoutMs) return { kind: "wait" };
  const why =
    member === undefined
      ? "the API server has no answer about it"
      : member === "gone"
        ? "the cluster has no such Node"
        : member.isReady
          ? "its kubelet has not reported the boot that was proven"
          : `its Node is not Ready (${member.readiness})`;
  if (end.kind === "stop") return over(facts, why);
  const message = `it has not rejoined its cluster: ${why}, after ${Math.round(timeoutMs / 1000)} s`;
  return over({ ...facts, end: { kind: "stop", reason: { code: "not-ready", message } } }, why);
}

function isBack({ bootId }: RejoinFacts, member: Member): boolean {
  return member.isReady && member.bootId === bootId;
}

function over({ end, member }: RejoinFacts, why: string | undefined): RejoinStep {
  if (typeof member === "object" && member.cordon === "foreign")
    return { kind: "end", end, note: "it stays cordoned, as somebody else had left it" };
  const isLeft = isOurs(member) && why !== undefined;
  return { kind: "end", end, note: isLeft ? `it stays cordoned: ${why}` : undefined };
}

function isOurs(member: RejoinFacts["member"]): boolean {
  return typeof member === "object" && member.cordon === "ours";
}
