import { isProvenAt, withState, type Fleet, type FleetNode, type FleetPolicy, type NodeRecord } from "./fleet.ts";
import { hasLeft, isBegun, STATES } from "./node-state.ts";
import { assignWaves, CANARY, inOrder } from "./plan-waves.ts";
import { returning } from "./transition.ts";

/** Somebody has raised the attempt: what has failed is tried again, and the halt ends. */
export function withAttempt(fleet: Fleet, { attempt, target }: FleetPolicy, nodes: Nodes, nowMs: number): Fleet {
  if (attempt <= fleet.attempt) return fleet;
  const records = fleet.records.map((record) => {
    const node = nodes.get(record.name);
    const isLost = record.state === "Done" && node?.proof.kind === "proven" && !isProvenAt(node, target);
    const isTried = record.state === "Failed" || record.state === "FellBack" || record.state === "Blocked" || isLost;
    if (!isTried) return record;
    const { restartedFrom: _, ...kept } = withState(record, "Waiting", "", nowMs);
    return { ...kept, drains: 0 };
  });
  return { attempt, records };
}

export type Nodes = ReadonlyMap<string, FleetNode>;

/** Who is part of it now: new nodes, those that are gone, and those that are to be left out. */
export function withMembers(
  fleet: Fleet,
  policy: FleetPolicy,
  nodes: Nodes,
  current: string | undefined,
  nowMs: number,
): Fleet {
  const assigned = assignWaves(policy, fleet.records, eligible(policy, nodes), current);
  const known = new Set(fleet.records.map(({ name }) => name));
  const joined = [...nodes.values()].filter(({ name }) => !known.has(name));
  const records = [
    ...fleet.records.map((record) => {
      const wave = assigned.get(record.name) ?? record.wave;
      return settleMember(wave === record.wave ? record : { ...record, wave }, policy, nodes.get(record.name), nowMs);
    }),
    ...joined.map(({ name }): NodeRecord => {
      const isExcluded = policy.exclude.includes(name);
      const wave = assigned.get(name) ?? ownOrLast(policy, fleet, nodes, name, current);
      const [state, message] = isExcluded ? (["Skipped", EXCLUDED] as const) : (["Waiting", ""] as const);
      return { name, wave, state, message, sinceMs: nowMs, drains: 0 };
    }),
  ];
  return { ...fleet, records: inOrder(records) };
}

const EXCLUDED = "the rollout leaves it out";

function eligible({ exclude }: FleetPolicy, nodes: Nodes): readonly FleetNode[] {
  return [...nodes.values()].filter(({ name }) => !exclude.includes(name));
}

/** Who is left out has a wave too, for when it no longer is. */
function ownOrLast(policy: FleetPolicy, fleet: Fleet, nodes: Nodes, name: string, current: string | undefined): string {
  const node = nodes.get(name);
  const found =
    node && assignWaves({ waves: policy.waves, reverse: policy.reverse }, fleet.records, [node], undefined).get(name);
  return found ?? current ?? CANARY;
}

function settleMember(record: NodeRecord, policy: FleetPolicy, node: FleetNode | undefined, nowMs: number): NodeRecord {
  const { state } = record;
  if (node === undefined)
    return state === "Gone" ? record : withState(record, "Gone", "it has no Node any more", nowMs);
  // It may be another machine, or the same that was told to restart: who looks will see.
  if (state === "Gone") return withState(record, record.restartedFrom === undefined ? "Waiting" : "Held", "", nowMs);
  const isExcluded = policy.exclude.includes(record.name);
  if (state === "Skipped") return isExcluded ? record : withState(record, "Waiting", "", nowMs);
  if (!isExcluded) return record;
  if (STATES[state].next.includes("Skipped")) return withState(record, "Skipped", EXCLUDED, nowMs);
  return isBegun(state) ? returning(record, "Waiting", EXCLUDED, nowMs) : record;
}

/** What follows from facts and time alone, whoever does what. */
export function settle(
  record: NodeRecord,
  policy: FleetPolicy,
  node: FleetNode | undefined,
  nowMs: number,
): NodeRecord {
  if (node === undefined) return record;
  const { state } = record;
  const { next, limit, isOut } = STATES[state];
  const serves = node.isReady && node.cordon === "none";
  if (!isOut && next.includes("Done") && isProvenAt(node, policy.target) && serves) {
    return withState(record, "Done", "", nowMs);
  }
  const isLate = limit !== undefined && nowMs - record.sinceMs > policy.limits[limit];
  if (isLate) return late(record, policy, nowMs);
  if (state !== "Blocked") return record;
  if (record.drains >= policy.drains.attempts) return withState(record, "Failed", record.message, nowMs);
  return nowMs - record.sinceMs >= policy.drains.retryMs ? withState(record, "Waiting", "", nowMs) : record;
}

function late(record: NodeRecord, { limits }: FleetPolicy, nowMs: number): NodeRecord {
  const seconds = (ms: number): string => `after ${Math.round(ms / 1000)} s`;
  if (record.state === "Staging") {
    return withState(record, "Failed", `it has not staged the release ${seconds(limits.stagingMs)}`, nowMs);
  }
  const why = record.message === "" ? "" : `: ${record.message}`;
  if (record.state === "BeforeReboot") {
    const message = `the check before its restart has not ended ${seconds(limits.beforeRebootMs)}${why}`;
    return returning(record, "Blocked", message, nowMs);
  }
  if (record.state === "AfterReboot") {
    const message = `the check after its restart has not ended ${seconds(limits.afterRebootMs)}${why}`;
    return withState(record, "Held", message, nowMs);
  }
  if (record.state === "Draining") {
    return returning(record, "Blocked", `it could not be drained ${seconds(limits.drainMs)}${why}`, nowMs);
  }
  if (!hasLeft(record.state)) return record;
  return withState(record, "Held", `it has not come back, proven and Ready, ${seconds(limits.bootMs)}`, nowMs);
}
