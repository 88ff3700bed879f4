import type { ClusterEvent, RolloutNode, RolloutStatus } from "@ashlar/kube";
import type { NodeState } from "@ashlar/rollout";
import type { Reason } from "./reasons.ts";

type Said = Omit<ClusterEvent, "about"> & { readonly reason: Reason };

/** What is worth an Event when a node gets there; the rest stands in the status. */
const TOLD = [
  "BeforeReboot",
  "Draining",
  "Rebooting",
  "AfterReboot",
  "Done",
  "FellBack",
  "Blocked",
  "Held",
  "Failed",
] as const satisfies readonly (NodeState | Reason)[];
const WARNINGS: ReadonlySet<NodeState> = new Set(["FellBack", "Blocked", "Held", "Failed"]);

/** What is told of a change: nodes that have got somewhere, and how it is with the whole. */
export function rolloutEvents(before: RolloutStatus, now: RolloutStatus): readonly Said[] {
  const known = new Map((before.nodes ?? []).map((node) => [node.name, node.state]));
  const changed = (now.nodes ?? []).filter(({ name, state }) => known.get(name) !== state);
  return [...changed.flatMap((node) => nodeEvent(node)), ...phaseEvents(before, now)];
}

function nodeEvent({ name, state, message }: RolloutNode): readonly Said[] {
  const reason = TOLD.find((each) => each === state);
  if (reason === undefined) return [];
  return [{ isWarning: WARNINGS.has(state), reason, note: message === undefined ? name : `${name}: ${message}` }];
}

function phaseEvents(before: RolloutStatus, { phase, halt, message }: RolloutStatus): readonly Said[] {
  if (halt !== undefined) {
    return before.halt === undefined ? [{ isWarning: true, reason: "Halted", note: halt.message }] : [];
  }
  if (phase === before.phase || phase === undefined) return [];
  return [{ isWarning: false, reason: phase, note: message ?? `it is ${phase}` }];
}
