import { chooseNodes, type Closed } from "./begin.ts";
import { withState, type Fleet, type FleetClock, type FleetNode, type FleetPolicy, type NodeRecord } from "./fleet.ts";
import { closedGates, gateQuestions, type GateQuestion } from "./gates.ts";
import { settle, withAttempt, withMembers, type Nodes } from "./membership.ts";
import { hasLeft, isBegun, STATES } from "./node-state.ts";
import { currentWave, lapsed, type CurrentWave } from "./progress.ts";
import { findHalt } from "./stop-rules.ts";
import { returning } from "./transition.ts";
import { isOpen, turnMs, windowAt } from "./windows.ts";

/**
 * What is to go on for a node now. It follows from what is remembered: who starts anew begins just these.
 *
 * - `stage`: fetch the release and prove the next boot.
 * - `turn`: drain it, restart it, prove it, and give it back to its cluster; or go on with that. With `mayRestart` false it is
 *   not told to restart: it is only seen to that it comes back.
 * - `give-back`: take back the cordon.
 */
export type Job = { readonly kind: "stage" | "give-back" } | { readonly kind: "turn"; readonly mayRestart: boolean };

export const PHASES = ["Pending", "Rolling", "Waiting", "Halted", "Aborted", "Done"] as const;
/** `Pending`: nothing was begun yet. `Waiting`: something is left to do, and something keeps it. `Aborted`: people have ended it. */
export type Phase = (typeof PHASES)[number];

export type FleetLook = {
  /** To be written down before any job is begun. The same object when nothing has changed. */
  readonly fleet: Fleet;
  readonly jobs: ReadonlyMap<string, Job>;
  readonly phase: Phase;
  /** The wave that goes on. */
  readonly wave: string | undefined;
  /** Why nothing further is begun, or why it was halted; undefined when nothing keeps it. */
  readonly waitsFor: string | undefined;
  /** The gates that have to be read now. */
  readonly gates: readonly GateQuestion[];
};

/**
 * Decides what happens to a fleet: a function of what is wanted, of what is remembered and of what is there. It begins
 * nodes, and takes back what it has begun where that is still possible; how far a node has come is told by events
 * (`afterEvent`).
 */
export function lookAtFleet(
  policy: FleetPolicy,
  before: Fleet,
  list: readonly FleetNode[],
  { nowMs, gates: readings = new Map() }: FleetClock,
): FleetLook {
  const nodes: Nodes = new Map(list.map((node) => [node.name, node]));
  const earlier = currentWave(policy, before, nodes, nowMs).name;
  const members = withMembers(withAttempt(before, policy, nodes, nowMs), policy, nodes, earlier, nowMs);
  const settled = change(members, (record) => settle(record, policy, nodes.get(record.name), nowMs));
  const halt = settled.halt ?? findHalt(policy, settled, nodes, nowMs);
  const halted = halt === undefined ? settled : { ...settled, halt };
  const kept = change(halted, (record) => withdraw(record, policy, halted, nowMs));
  const current = currentWave(policy, kept, nodes, nowMs);
  const gates = kept.halt === undefined && !policy.paused ? gateQuestions(policy, kept, current.name) : [];
  const gate = closedGates(gates, readings);
  const closed = closedBy(policy, kept, current, gate, nowMs);
  const fleet = begin(policy, kept, nodes, current, closed, nowMs);
  const jobs = new Map(fleet.records.flatMap((record) => jobOf(record, fleet)));
  const same = isSame(before, fleet) ? before : fleet;
  const phase = phaseOf(fleet, current, gate);
  const keeps = current.name === undefined ? gate : (closed.all ?? closed.away ?? lapsed(policy, fleet, nodes));
  return {
    fleet: same,
    jobs,
    phase,
    wave: current.name,
    waitsFor: phase === "Done" ? undefined : (fleet.halt?.message ?? keeps),
    gates,
  };
}

function change(fleet: Fleet, of: (record: NodeRecord) => NodeRecord): Fleet {
  return { ...fleet, records: fleet.records.map(of) };
}

/** What has not been restarted yet need not be, when the rollout has halted or the window has closed. */
function withdraw(record: NodeRecord, { windows }: FleetPolicy, { halt }: Fleet, nowMs: number): NodeRecord {
  if (halt !== undefined && record.state === "Staging") return withState(record, "Waiting", "", nowMs);
  if (!isBegun(record.state)) return record;
  if (halt !== undefined) return returning(record, "Waiting", "the rollout has halted", nowMs);
  return isOpen(windows, nowMs) ? record : returning(record, "Waiting", "the window has closed", nowMs);
}

function closedBy(
  policy: FleetPolicy,
  { halt }: Fleet,
  { gate: wave }: CurrentWave,
  gate: string | undefined,
  nowMs: number,
): Closed {
  const all = halt?.message ?? (policy.paused ? "the rollout is paused" : (policy.refusal ?? wave));
  return { all, away: windowAt(policy.windows, turnMs(policy), nowMs) ?? gate };
}

function begin(
  policy: FleetPolicy,
  fleet: Fleet,
  nodes: Nodes,
  { name: wave }: CurrentWave,
  closed: Closed,
  nowMs: number,
): Fleet {
  if (wave === undefined) return fleet;
  const { stage, drain, waits } = chooseNodes(policy, fleet, nodes, wave, closed);
  const first = policy.limits.beforeRebootMs > 0 ? "BeforeReboot" : "Draining";
  return change(fleet, (record) => {
    const { name, state } = record;
    if (stage.includes(name)) return { ...withState(record, "Staging", "", nowMs), ...fromOf(nodes.get(name)) };
    if (drain.includes(name)) return withState(record, first, "", nowMs);
    if (state !== "Waiting" && state !== "Staged") return record;
    return withState(record, state, waits.get(name) ?? `its wave, ${record.wave}, has not begun`, nowMs);
  });
}

function fromOf(node: FleetNode | undefined): { readonly from?: string } {
  return node?.proof.kind === "proven" ? { from: node.proof.release } : {};
}

function jobOf({ name, state }: NodeRecord, { halt }: Fleet): readonly (readonly [string, Job])[] {
  if (state === "Staging") return [[name, { kind: "stage" }]];
  if (state === "Returning") return [[name, { kind: "give-back" }]];
  if (isBegun(state) || hasLeft(state)) {
    return [[name, { kind: "turn", mayRestart: halt === undefined && state !== "Held" }]];
  }
  return [];
}

function phaseOf({ halt, records }: Fleet, { name }: CurrentWave, gate: string | undefined): Phase {
  if (halt !== undefined) return "Halted";
  if (records.length === 0) return "Pending";
  if (name === undefined) return gate === undefined ? "Done" : "Waiting";
  if (records.some(({ state }) => STATES[state].isOut || state === "Staging")) return "Rolling";
  return records.every(({ state }) => state === "Waiting" || state === "Skipped") ? "Pending" : "Waiting";
}

function isSame(a: Fleet, b: Fleet): boolean {
  return (
    a.attempt === b.attempt &&
    a.halt === b.halt &&
    a.records.length === b.records.length &&
    a.records.every((record, index) => record === b.records[index])
  );
}
