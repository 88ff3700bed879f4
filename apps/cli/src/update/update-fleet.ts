import { AshlarError } from "@ashlar/base";
import { beginTurn, endTurn, readUpdateRecord } from "@ashlar/verifier";
import { runTurn, type NodeAccess, type TurnEvent, type TurnOptions, type TurnResult } from "./run-turn.ts";
import type { Goal } from "./turn.ts";
import { UPDATE_RESULT_SCHEMA, type NodeResult, type UpdateResult } from "./update-result.ts";

export type FleetOptions = Pick<TurnOptions, "signal" | "pollMs" | "answerMs"> & {
  /** Says whose turn it is, for `ashlar prove` and for who repeats this. */
  readonly recordPath: string;
  readonly onEvent: (event: TurnEvent) => void;
};

/**
 * Gives each node its turn, one after the other, and stops at the first that is not proven to run what it should. A node
 * whose turn has not ended comes first.
 *
 * @throws AshlarError `conflict` when that is a node that is not among them
 */
export async function updateFleet(
  nodes: readonly NodeAccess[],
  goal: Goal,
  options: FleetOptions,
): Promise<UpdateResult> {
  const { turn } = await readUpdateRecord(options.recordPath);
  if (turn !== undefined && !nodes.some(({ name }) => name === turn.node)) {
    throw new AshlarError("conflict", `expected no turn that has not ended, found the one of ${turn.node}`, {
      hint: `update or roll back ${turn.node} first: until then it may be either ${turn.from} or ${turn.to}`,
    });
  }
  const ordered = nodes.toSorted((a, b) => Number(b.name === turn?.node) - Number(a.name === turn?.node));
  const results: NodeResult[] = [];
  let stopped = false;
  for (const node of ordered) {
    const result: NodeResult = stopped ? untouched(node.name, goal) : await takeTurn(node, goal, options);
    results.push(result);
    stopped ||= result.outcome === "stopped";
  }
  const outcome = stopped ? "stopped" : "complete";
  return { schema: UPDATE_RESULT_SCHEMA, action: goal.order, outcome, nodes: results };
}

async function takeTurn(node: NodeAccess, goal: Goal, options: FleetOptions): Promise<NodeResult> {
  const { recordPath, ...turnOptions } = options;
  const startMs = performance.now();
  const { turn } = await readUpdateRecord(recordPath);
  const result = await runTurn(node, goal, {
    ...turnOptions,
    resumed: turn?.node === node.name,
    beforeChange: async (from) => {
      await beginTurn(recordPath, { node: node.name, from, to: goal.target });
    },
  });
  // Without a proof it may be either: both stay right until the turn is repeated.
  if (result.proven !== undefined) await endTurn(recordPath, node.name, result.proven);
  return toNodeResult(node.name, goal, result, (performance.now() - startMs) / 1000);
}

/** So that its members can be asked for. */
const NO_REASON: { readonly failure?: never } = {};

function toNodeResult(
  name: string,
  goal: Goal,
  { end, from, proven, progress }: TurnResult,
  seconds: number,
): NodeResult {
  const { failure = null, ...reason } = end.kind === "stop" ? end.reason : NO_REASON;
  return {
    ...untouched(name, goal),
    outcome: end.kind === "stop" ? "stopped" : end.how,
    from: from ?? null,
    proven: proven ?? null,
    seconds: Math.round(seconds * 10) / 10,
    bytes:
      progress === undefined
        ? null
        : { total: progress.totalBytes, copied: progress.copiedBytes, fetched: progress.fetchedBytes },
    reason: "code" in reason ? reason : null,
    failure,
  };
}

function untouched(name: string, { target }: Goal): NodeResult {
  const nothing = { from: null, proven: null, seconds: 0, bytes: null, reason: null, failure: null };
  return { name, outcome: "untouched", to: target, ...nothing };
}
