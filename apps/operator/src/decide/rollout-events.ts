import type { ClusterEvent, RolloutNode, RolloutStatus } from "@ashlar/kube";
import type { NodeState } from "@ashlar/rollout";

type Said = Omit<ClusterEvent, "about">;

/** What is worth an Event when a node gets there; the rest stands in the status. */
const TOLD: ReadonlySet<NodeState> = new Set([
  "Draining",
  "Rebooting",
  "Done",
  "FellBack",
  "Blocked",
  "Held",
  "Failed",
]);
const WARNINGS: ReadonlySet<NodeState> = new Set(["FellBack", "Blocked", "Held", "Failed"]);

/** What is told of a change: nodes that have got somewhere, and how it is with the whole. */
export function rolloutEvents(before: RolloutStatus, now: RolloutStatus): readonly Said[] {
  const known = new Map((before.nodes ?? []).map((node) => [node.name, node.state]));
  const changed = (now.nodes ?? []).filter(({ name, state }) => known.get(name) !== state && TOLD.has(state));
  return [...changed.map(nodeEvent), ...phaseEvents(before, now)];
}

function nodeEvent({ name, state, message }: RolloutNode): Said {
  return { isWarning: WARNINGS.has(state), reason: state, note: message === undefined ? name : `${name}: ${message}` };
}

function phaseEvents(before: RolloutStatus, { phase, halt, message }: RolloutStatus): readonly Said[] {
  if (halt !== undefined) {
    return before.halt === undefined ? [{ isWarning: true, reason: "Halted", note: halt.message }] : [];
  }
  if (phase === before.phase || phase === undefined) return [];
  return [{ isWarning: false, reason: phase, note: message ?? `it is ${phase}` }];
}
