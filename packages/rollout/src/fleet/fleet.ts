import type { MaintenanceWindow } from "@ashlar/declaration";
import { STATES, type LimitName, type NodeState } from "./node-state.ts";

/** What is wanted, and in which order. */
export type FleetPolicy = {
  /** The release that all shall run. */
  readonly target: string;
  /** How many may be away at once, for whatever reason. Of a share at least one. */
  readonly concurrency: { readonly nodes: number } | { readonly percent: number };
  /** Who tries it out, and for how long they have to stay proven before the others go. */
  readonly canary?: { readonly nodes: number; readonly soakMs: number };
  /** Groups in their order. A node goes with the first that has its labels; who is of none goes after them. */
  readonly waves: readonly WaveSelector[];
  /** Waves go in the other direction: what went last comes back first. */
  readonly reverse: boolean;
  /** Names of nodes that are left out. */
  readonly exclude: readonly string[];
  /** A label: of nodes with the same value one is away at a time. */
  readonly spreadKey?: string;
  /** Nodes are drained and restarted only in these; without any, at all times. */
  readonly windows: readonly MaintenanceWindow[];
  readonly approval: "none" | "each-wave";
  readonly approvedWaves: readonly string[];
  readonly gates: readonly FleetGate[];
  /** Why nobody may be taken there as things are; undefined when nothing is known against it. */
  readonly refusal?: string;
  /** No further node is begun. */
  readonly paused: boolean;
  /** How many nodes may fail or fall back before the rollout halts. None of the canary may. */
  readonly tolerate: number;
  /** How often a node's drain is tried, and the pause after one that did not end. */
  readonly drains: { readonly attempts: number; readonly retryMs: number };
  /** `beforeRebootMs` and `afterRebootMs` are 0 where nobody else has to agree. */
  readonly limits: Readonly<Record<LimitName, number>>;
  /** Raised by people: what has failed is tried again, and a halt ends. */
  readonly attempt: number;
};

export type WaveSelector = { readonly name: string; readonly selector: Readonly<Record<string, string>> };

/** Something outside that has to be well before nodes may be away. */
export type FleetGate = {
  readonly name: string;
  /** `wave`: until the first node of a wave is drained; `node`: until each is. Both once more at the end. */
  readonly before: "wave" | "node";
};

/** What is known of a node of the fleet now. */
export type FleetNode = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isControlPlane: boolean;
  readonly isReady: boolean;
  /** `ours`: by this rollout. */
  readonly cordon: "none" | "ours" | "foreign";
  readonly proof: FleetProof;
};

/** What was proved of a node, held against what it should be in this rollout. */
export type FleetProof =
  | { readonly kind: "proven"; readonly release: string }
  /** It has proved to be something else. */
  | { readonly kind: "mismatch"; readonly message: string }
  /** Nothing is proved now: it is silent, or was never asked. */
  | { readonly kind: "unknown"; readonly message: string };

/** What is remembered of a node. */
export type NodeRecord = {
  readonly name: string;
  readonly wave: string;
  readonly state: NodeState;
  readonly sinceMs: number;
  /** Why it waits, or how it has ended. */
  readonly message: string;
  /** The release that it was proven to run when its turn came. */
  readonly from?: string;
  /** The boot that it was told to leave: written down before it is told. */
  readonly restartedFrom?: string;
  /** How many drains did not end. */
  readonly drains: number;
  /** What it becomes when it has got back what was taken. */
  readonly returnsTo?: ReturnsTo;
};

export const RETURNS = ["Waiting", "Blocked", "Failed"] as const;
export type ReturnsTo = (typeof RETURNS)[number];

export type Halt = { readonly node: string; readonly message: string; readonly sinceMs: number };

/** All that is remembered. Everything else follows from it and from what is there. */
export type Fleet = {
  readonly attempt: number;
  readonly halt?: Halt;
  readonly records: readonly NodeRecord[];
};

export const NEW_FLEET: Fleet = { attempt: 1, records: [] };

export type GateReading = {
  readonly point: string;
  readonly isOpen: boolean;
  /** Why it is closed. */
  readonly message: string;
};

export type GateReadings = ReadonlyMap<string, GateReading>;

/** The clock, and what was read of gates; without a reading a gate is closed. */
export type FleetClock = { readonly nowMs: number; readonly gates?: GateReadings };

export function isProvenAt({ proof }: Pick<FleetNode, "proof">, target: string): boolean {
  return proof.kind === "proven" && proof.release === target;
}

/** A record in another state, since now; in the same one, since when it was. A state that cannot follow is a bug. */
export function withState(record: NodeRecord, state: NodeState, message: string, nowMs: number): NodeRecord {
  const { returnsTo: _, ...kept } = record;
  if (record.state === state) return record.message === message ? record : { ...record, message };
  if (!STATES[record.state].next.includes(state)) throw new TypeError(`${record.name}: ${record.state} to ${state}`);
  return { ...kept, state, message, sinceMs: nowMs };
}
