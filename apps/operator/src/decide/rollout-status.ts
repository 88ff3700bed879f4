import { isDeepStrictEqual } from "node:util";
import { MAX_ROLLOUT_NODES, type Condition, type RolloutNode, type RolloutStatus } from "@ashlar/kube";
import {
  hasLeft,
  NEW_FLEET,
  type Fleet,
  type FleetLook,
  type NodeRecord,
  type NodeState,
  type Phase,
} from "@ashlar/rollout";
import { textFor, withCondition, type Said } from "./conditions.ts";

/** What is remembered of a fleet, or why a status says nothing that can be gone on with. */
export type ReadFleet = { readonly fleet: Fleet } | { readonly fault: string };

/** What a look has found beside what is to be remembered. */
export type Outlook = {
  readonly phase: Phase;
  readonly wave: string | undefined;
  readonly waitsFor: string | undefined;
};

/** Of a Rollout that is deleted or aborted. Where something goes on, that is what it waits for. */
export function outlookAtEnd(look: Outlook & Pick<FleetLook, "jobs">, isDeleting: boolean): Outlook {
  const { phase, wave, jobs } = look;
  if (isDeleting) return { phase, wave, waitsFor: "it is deleted, and waits until its nodes have come home" };
  if (jobs.size > 0) return { phase, wave, waitsFor: "it is aborted, and waits until its nodes have come home" };
  return { phase: "Aborted", wave: undefined, waitsFor: "it was aborted" };
}

/** States in which a node cannot have been told to leave a boot. */
const NEVER_TOLD: ReadonlySet<NodeState> = new Set([
  "Waiting",
  "Staging",
  "Staged",
  "BeforeReboot",
  "Draining",
  "Returning",
  "Blocked",
  "Failed",
  "Skipped",
]);

/**
 * What a Rollout's status remembers. Its form is known to be right. A status that could not have been written here is a fault:
 * nothing is done by it.
 */
export function fleetOf(status: RolloutStatus): ReadFleet {
  const { nodes, attempt, halt, phase } = status;
  if (nodes === undefined) {
    return (phase === undefined || phase === "Pending") && halt === undefined
      ? { fleet: NEW_FLEET }
      : fault("nodes", "the nodes of a rollout that has begun", "none");
  }
  if (nodes.length > 0 && attempt === undefined) return fault("attempt", "the attempt that goes on", "none");
  const names = new Set(nodes.map(({ name }) => name));
  if (names.size !== nodes.length) return fault("nodes", "each node once", `${nodes.length - names.size} more`);
  for (const node of nodes) {
    const wrong = faultOf(node);
    if (wrong !== undefined) return wrong;
  }
  const records = nodes.map(recordOf);
  if (halt === undefined) return { fleet: { attempt: attempt ?? 1, records } };
  const { node, message, since } = halt;
  if (Number.isNaN(Date.parse(since))) return fault("halt.since", "a time", since);
  return { fleet: { attempt: attempt ?? 1, halt: { node, message, sinceMs: Date.parse(since) }, records } };
}

function fault(where: string, expected: string, found: string): { readonly fault: string } {
  return { fault: `status.${where}: expected ${expected}, found ${found}` };
}

function faultOf({ name, state, since, restartedFrom, returnsTo }: RolloutNode): ReadFleet | undefined {
  const at = `nodes[${name}]`;
  if (Number.isNaN(Date.parse(since))) return fault(`${at}.since`, "a time", since);
  if ((state === "Returning") !== (returnsTo !== undefined)) {
    return fault(`${at}.returnsTo`, "it with Returning, and only there", `${state}, ${returnsTo ?? "none"}`);
  }
  if (hasLeft(state) && restartedFrom === undefined) {
    return fault(`${at}.restartedFrom`, `the boot that a node left which is ${state}`, "none");
  }
  if (NEVER_TOLD.has(state) && restartedFrom !== undefined) {
    return fault(`${at}.restartedFrom`, `none for a node that is ${state}`, restartedFrom);
  }
  return undefined;
}

function recordOf({ since, message = "", drains = 0, ...node }: RolloutNode): NodeRecord {
  return { ...node, message, drains, sinceMs: Date.parse(since) };
}

/** What is to be written, `previous` itself when that is what stands there. */
export function statusOf(
  fleet: Fleet,
  outlook: Outlook,
  previous: RolloutStatus,
  generation: number,
  nowMs: number,
): RolloutStatus {
  const { phase, wave, waitsFor } = outlook;
  const { attempt, halt, records } = fleet;
  const part = records.filter(({ state }) => state !== "Skipped" && state !== "Gone");
  const next: RolloutStatus = {
    observedGeneration: generation,
    phase,
    ...(wave === undefined ? {} : { wave }),
    ...(waitsFor === undefined ? {} : { message: textFor(waitsFor) }),
    attempt,
    ...(halt === undefined
      ? {}
      : { halt: { node: halt.node, message: textFor(halt.message), since: timeOf(halt.sinceMs) } }),
    total: part.length,
    done: part.filter(({ state }) => state === "Done").length,
    nodes: records.map(nodeOf),
    conditions: conditionsOf(previous.conditions ?? [], outlook, fleet, generation, nowMs),
  };
  return isDeepStrictEqual(next, previous) ? previous : next;
}

function nodeOf({
  name,
  wave,
  state,
  sinceMs,
  message,
  from,
  restartedFrom,
  drains,
  returnsTo,
}: NodeRecord): RolloutNode {
  return {
    name,
    wave,
    state,
    since: timeOf(sinceMs),
    ...(message === "" ? {} : { message: textFor(message) }),
    ...(from === undefined ? {} : { from }),
    ...(restartedFrom === undefined ? {} : { restartedFrom }),
    ...(drains === 0 ? {} : { drains }),
    ...(returnsTo === undefined ? {} : { returnsTo }),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function conditionsOf(
  before: readonly Condition[],
  { phase, waitsFor = "" }: Outlook,
  { halt, records }: Fleet,
  generation: number,
  nowMs: number,
): readonly Condition[] {
  const isIdle = phase === "Done" || phase === "Halted" || phase === "Aborted" || phase === "Waiting";
  const failed = records.filter(({ state }) => state === "Failed" || state === "FellBack").length;
  const left = failed === 0 ? "all nodes are proven at the release" : `all are, but ${failed} that failed or fell back`;
  const said: Readonly<Record<string, Said>> = {
    Progressing: { status: isIdle ? "False" : "True", reason: phase, message: waitsFor },
    Complete:
      phase === "Done"
        ? { status: "True", reason: phase, message: left }
        : { status: "False", reason: phase, message: "" },
    Halted:
      halt === undefined
        ? { status: "False", reason: phase, message: "" }
        : { status: "True", reason: "Stopped", message: halt.message },
  };
  return Object.entries(said).reduce(
    (list, [type, each]) => withCondition(list, type, each, nowMs, generation),
    before,
  );
}

/** Of a Rollout that is not carried out now: what is remembered stays as it is, and it is said what keeps it. */
export function keptStatus(
  previous: RolloutStatus,
  { reason, message }: Pick<Said, "reason" | "message">,
  generation: number,
  nowMs: number,
): RolloutStatus {
  const said: Said = { status: "False", reason, message };
  const conditions = withCondition(previous.conditions ?? [], "Progressing", said, nowMs, generation);
  const { phase = "Pending" } = previous;
  const next = { ...previous, phase, message: textFor(message), observedGeneration: generation, conditions };
  return isDeepStrictEqual(next, previous) ? previous : next;
}

export function tooMany(count: number): string | undefined {
  if (count <= MAX_ROLLOUT_NODES) return undefined;
  return `expected ${MAX_ROLLOUT_NODES} nodes at most, found ${count}: make a NodeClass for a part of them`;
}
