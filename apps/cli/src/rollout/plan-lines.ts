import { printable } from "@ashlar/base";
import { alignColumns } from "@ashlar/host/terminal";
import type { RolloutPlan } from "@ashlar/operator/rollout-plan";

const SCHEMA = "ashlar.rollout-plan/v1";
const TITLES = ["WAVE", "NODE", "STATE", "KEPT BY"];

/** Whether anything is known that keeps the rollout, or one of its nodes. */
export function isKept({ waitsFor, operatorSays, waves }: RolloutPlan): boolean {
  if (waitsFor !== undefined || operatorSays !== undefined) return true;
  return waves.some(({ isApproved, nodes }) => !isApproved || nodes.some(({ blockedBy }) => blockedBy !== undefined));
}

/** A line for each node in the order in which they go, then what keeps all. */
export function planLines(plan: RolloutPlan): readonly string[] {
  const { release, slots, waitsFor, operatorSays, waves, skipped } = plan;
  const rows = waves.flatMap(({ name, isApproved, nodes }) =>
    nodes.map(({ name: node, isDone, blockedBy }) => [
      name,
      node,
      isDone ? "done" : isApproved ? "to go" : "not approved",
      blockedBy ?? "-",
    ]),
  );
  const left = skipped.map((node) => ["-", node, "left out", "-"]);
  const table = alignColumns([TITLES, ...rows, ...left].map((row) => row.map(printable)));
  return [
    ...table.map((row) => row.join("  ").trimEnd()),
    `to ${release}; away at once: ${slots} at most`,
    ...(waitsFor === undefined ? [] : [`now it would wait: ${printable(waitsFor)}`]),
    ...(operatorSays === undefined ? [] : [`the operator says: ${printable(operatorSays)}`]),
  ];
}

export function planDocument({ waitsFor, operatorSays, waves, ...plan }: RolloutPlan): object {
  return {
    schema: SCHEMA,
    ...plan,
    waitsFor: waitsFor ?? null,
    operatorSays: operatorSays ?? null,
    waves: waves.map(({ name, isApproved, nodes }) => ({
      name,
      isApproved,
      nodes: nodes.map(({ blockedBy, ...node }) => ({ ...node, blockedBy: blockedBy ?? null })),
    })),
  };
}
