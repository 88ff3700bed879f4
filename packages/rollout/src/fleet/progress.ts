import { isProvenAt, type Fleet, type FleetPolicy, type NodeRecord } from "./fleet.ts";
import type { Nodes } from "./membership.ts";
import { STATES } from "./node-state.ts";
import { CANARY, waveNames } from "./plan-waves.ts";
import { timeOf } from "./windows.ts";

/** The wave that goes on, and what keeps it from beginning. */
export type CurrentWave = {
  /** Undefined: all are over. */
  readonly name: string | undefined;
  /** Why none of its nodes may be begun. */
  readonly gate: string | undefined;
};

/**
 * Which wave goes on: the first that is not over. A wave is over when each of its nodes is proven at the target **now**, and
 * Ready, or is not part of the rollout, or has failed where that is tolerated. So one that is no longer proven reopens its
 * wave, and nobody further is begun in the later ones.
 */
export function currentWave(policy: FleetPolicy, fleet: Fleet, nodes: Nodes, nowMs: number): CurrentWave {
  for (const name of waveNames(policy)) {
    const records = fleet.records.filter(({ wave }) => wave === name);
    const isOver = records.every((record) => isBehind(record, policy, nodes));
    if (!isOver) return { name, gate: approvalOf(name, policy) };
    if (name !== CANARY) continue;
    const gate = canaryGate(records, policy, fleet, nowMs);
    if (gate !== undefined) return { name, gate };
  }
  return { name: undefined, gate: undefined };
}

/** Whether the rollout need not wait for it. */
export function isBehind({ name, state, wave }: NodeRecord, policy: FleetPolicy, nodes: Nodes): boolean {
  if (state === "Skipped" || state === "Gone") return true;
  if (state === "Failed" || state === "FellBack") return wave !== CANARY;
  const node = nodes.get(name);
  return state === "Done" && node !== undefined && node.isReady && isProvenAt(node, policy.target);
}

/** Of a wave that none of its nodes keeps but one that is done: why that does not count now. */
export function lapsed(policy: FleetPolicy, { records }: Fleet, nodes: Nodes): string | undefined {
  const found = records.find((record) => record.state === "Done" && !isBehind(record, policy, nodes));
  if (found === undefined) return undefined;
  const node = nodes.get(found.name);
  const why = node?.isReady === false ? "its Node is not Ready" : `it is not proven at ${policy.target} now`;
  return `${found.name}, which is done, has to be so still: ${why}`;
}

function approvalOf(wave: string, { approval, approvedWaves }: FleetPolicy): string | undefined {
  if (approval === "none" || approvedWaves.includes(wave)) return undefined;
  return `wave ${wave} waits to be approved`;
}

function canaryGate(
  records: readonly NodeRecord[],
  { canary }: FleetPolicy,
  fleet: Fleet,
  nowMs: number,
): string | undefined {
  if (canary === undefined) return undefined;
  const done = records.filter(({ state }) => state === "Done");
  const hasOthers = fleet.records.some(({ state }) => state !== "Skipped" && state !== "Gone");
  if (done.length === 0) return hasOthers ? "no node of the canary has proved the release" : undefined;
  const until = Math.max(...done.map(({ sinceMs }) => sinceMs)) + canary.soakMs;
  const isSoaking = nowMs < until && fleet.records.some(({ state }) => !STATES[state].isEnd);
  return isSoaking ? `the canary has to stay proven until ${timeOf(until)}` : undefined;
}
