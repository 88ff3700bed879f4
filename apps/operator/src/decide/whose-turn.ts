import type { RolloutObject } from "@ashlar/kube";
import { STATES, type NodeState } from "@ashlar/rollout";

type Candidate = Pick<RolloutObject, "name" | "createdAt" | "generation" | "isDeleting" | "spec" | "status">;

/** Something of it is going on: nodes are away, or fetch a release. */
export function isBusy({ status }: Pick<Candidate, "status">): boolean {
  return status?.nodes?.some(({ state }) => isOnTheWay(state)) === true;
}

export function isOnTheWay(state: NodeState): boolean {
  return STATES[state].isOut || state === "Staging";
}

/** It is history: it changes only when its spec does. */
export function isComplete({ status, generation, isDeleting }: Candidate): boolean {
  const isOver = status?.phase === "Done" || status?.phase === "Aborted";
  return !isDeleting && isOver && status.observedGeneration === generation;
}

/** Nobody is begun any more: it only waits until its nodes have come home. */
export function isEnding({ spec, isDeleting }: Pick<Candidate, "spec" | "isDeleting">): boolean {
  return isDeleting || spec?.aborted === true;
}

/**
 * Which Rollout each has to wait for, by name. Of one class one goes on at a time: the one that has nodes on their way, else
 * the oldest that is neither complete nor paused. What cannot be read may hide nodes on their way, so it keeps the others.
 */
export function whoWaits(rollouts: readonly Candidate[]): ReadonlyMap<string, string> {
  const waits = new Map<string, string>();
  const open = rollouts
    .filter((each) => !isComplete(each))
    .toSorted((a, b) => (`${a.createdAt} ${a.name}` < `${b.createdAt} ${b.name}` ? -1 : 1));
  const classes = new Set(open.flatMap(({ spec }) => spec?.class ?? []));
  const unreadable = open.find(({ spec }) => spec === undefined);
  for (const name of classes) {
    const own = open.filter(({ spec }) => spec?.class === name);
    const first =
      own.find((each) => isBusy(each)) ??
      own.find(({ status }) => status === undefined) ??
      unreadable ??
      own.find((each) => !isEnding(each) && each.spec?.paused !== true);
    for (const each of own) {
      const mayEnd = isEnding(each) && !isBusy(each);
      if (first !== undefined && each !== first && !mayEnd) waits.set(each.name, first.name);
    }
  }
  return waits;
}
