import { withState, type Fleet, type NodeRecord, type ReturnsTo } from "./fleet.ts";
import { hasLeft, isBegun, STATES, type NodeState } from "./node-state.ts";

/** What whoever carries out a node's turn tells of it. */
export type NodeEvent =
  /** The release is its proven next boot. */
  | { readonly kind: "staged" }
  /** Nothing is left on it that has to go, and it is about to be told to leave this boot. */
  | { readonly kind: "drained"; readonly bootId: string }
  /** It has come so far. */
  | { readonly kind: "reached"; readonly state: "Draining" | "Proving" | "Rejoining" | "AfterReboot" | "Uncordoning" }
  | { readonly kind: "ended"; readonly how: NodeEnd; readonly message: string }
  /** What it waits for, in words. */
  | { readonly kind: "waits"; readonly message: string }
  /** Nothing of what was taken is left to be given back. */
  | { readonly kind: "given-back" };

/**
 * - `Done`, `FellBack`: proven and Ready, and it takes pods again, unless somebody else has cordoned it.
 * - `Held`: told to restart, and not proven or not Ready since.
 * - `Blocked`: not restarted, because it could not be drained.
 * - `Failed`: not restarted, for another reason.
 */
export type NodeEnd = "Done" | "FellBack" | "Held" | "Blocked" | "Failed";

const PROGRESS: readonly NodeState[] = ["Rebooting", "Proving", "Rejoining", "AfterReboot", "Uncordoning"];

/**
 * The fleet after an event of one node; undefined when that cannot follow now, so that nothing may come of it. **A node may
 * be told to restart only when `drained` has given a fleet, and that has been written down.**
 */
export function afterEvent(fleet: Fleet, name: string, event: NodeEvent, nowMs: number): Fleet | undefined {
  const record = fleet.records.find((each) => each.name === name);
  if (record === undefined) return undefined;
  const next = event.kind === "drained" ? drained(fleet, record, event.bootId, nowMs) : after(record, event, nowMs);
  if (next === undefined || next === record) return next && fleet;
  return { ...fleet, records: fleet.records.map((each) => (each === record ? next : each)) };
}

function drained(fleet: Fleet, record: NodeRecord, bootId: string, nowMs: number): NodeRecord | undefined {
  if (fleet.halt !== undefined) return undefined;
  // What was told may not have been heard: an order is for one boot, so a second one for the same boot is no second restart.
  if (record.state === "Rebooting" && record.restartedFrom === bootId) return record;
  if (record.state !== "Draining" || record.restartedFrom !== undefined) return undefined;
  return { ...withState(record, "Rebooting", "", nowMs), restartedFrom: bootId };
}

function after(
  record: NodeRecord,
  event: Exclude<NodeEvent, { readonly kind: "drained" }>,
  nowMs: number,
): NodeRecord | undefined {
  const { state } = record;
  if (event.kind === "reached") return reached(record, event.state, nowMs);
  if (event.kind === "ended") return ended(record, event.how, event.message, nowMs);
  if (event.kind === "waits") return isGoingOn(state) ? withState(record, state, event.message, nowMs) : undefined;
  if (event.kind === "staged") return state === "Staging" ? withState(record, "Staged", "", nowMs) : undefined;
  if (state !== "Returning") return undefined;
  return withState(record, record.returnsTo ?? "Waiting", record.message, nowMs);
}

/** Its words are those of whoever carries it out; those of a state that rests say why it rests. */
function isGoingOn(state: NodeState): boolean {
  return state === "Staging" || isBegun(state) || PROGRESS.includes(state);
}

/** Whoever goes on with an interrupted turn passes once more what was passed before. */
function reached(record: NodeRecord, to: NodeState, nowMs: number): NodeRecord | undefined {
  if (to === "Draining") return isBegun(record.state) ? withState(record, to, "", nowMs) : undefined;
  if (record.state === "Held") return record;
  const [from, there] = [PROGRESS.indexOf(record.state), PROGRESS.indexOf(to)];
  if (from === -1) return undefined;
  return there <= from ? record : move(record, to, "", nowMs);
}

function ended(record: NodeRecord, how: NodeEnd, message: string, nowMs: number): NodeRecord | undefined {
  const { state } = record;
  if (state === "Staging") return how === "Failed" ? withState(record, "Failed", message, nowMs) : undefined;
  const isNotRestarted = how === "Blocked" || how === "Failed";
  if (isNotRestarted && (isBegun(state) || state === "Rebooting" || state === "Held")) {
    return returning(record, how, message, nowMs);
  }
  if (isBegun(state)) return how === "Done" ? withState(record, how, message, nowMs) : undefined;
  if (!hasLeft(state) || isNotRestarted) return undefined;
  return state === how ? withState(record, how, message, nowMs) : move(record, how, message, nowMs);
}

function move(record: NodeRecord, to: NodeState, message: string, nowMs: number): NodeRecord | undefined {
  return STATES[record.state].next.includes(to) ? withState(record, to, message, nowMs) : undefined;
}

/** It was not restarted, so it gets back what was taken. A boot that it did not leave is no boot that it was told to leave. */
export function returning(record: NodeRecord, returnsTo: ReturnsTo, message: string, nowMs: number): NodeRecord {
  const { restartedFrom: _, ...kept } = withState(record, "Returning", message, nowMs);
  return { ...kept, returnsTo, drains: record.drains + (returnsTo === "Blocked" ? 1 : 0) };
}
