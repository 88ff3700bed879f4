import type { UpdateStatus } from "@ashlar/protocol";
import { beginTurn, endTurn, readUpdateRecord } from "@ashlar/verifier/declared";
import type { DrainPolicy } from "../cluster/drain.ts";
import type { MemberAccess } from "./drain-member.ts";
import type { FollowOptions } from "./follow-turn.ts";
import { runMemberTurn } from "./run-member-turn.ts";
import { runTurn, type NodeAccess } from "./run-turn.ts";
import { takeTurns } from "./take-turns.ts";
import type { Goal } from "../turn/turn.ts";
import {
  nodeResult,
  untouched,
  UPDATE_RESULT_SCHEMA,
  type NodeResult,
  type UpdateResult,
} from "../turn/update-result.ts";

export type FleetOptions<Status> = FollowOptions<Status> & {
  /** Says whose turn it is, for `ashlar prove` and for who repeats this. */
  readonly recordPath: string;
};

/** How nodes are treated that are members of a cluster. */
export type ClusterOptions = {
  readonly member: (name: string) => MemberAccess;
  readonly policy: DrainPolicy;
};

/**
 * Takes nodes to another release; see {@link takeTurns}.
 *
 * @throws AshlarError `conflict` when a node's turn has not ended that is not among them
 */
export async function updateFleet(
  nodes: readonly NodeAccess[],
  goal: Goal,
  options: FleetOptions<UpdateStatus> & { readonly cluster?: ClusterOptions },
): Promise<UpdateResult> {
  const { turn } = await readUpdateRecord(options.recordPath);
  const result = await takeTurns(nodes, {
    pending: turn && {
      node: turn.node,
      hint: `update or roll back ${turn.node} first: until then it may be either ${turn.from} or ${turn.to}`,
    },
    take: async (node) => takeTurn(node, goal, options),
    untouched: (name) => untouched(name, goal.target),
  });
  return { schema: UPDATE_RESULT_SCHEMA, action: goal.order, component: null, ...result };
}

async function takeTurn(
  node: NodeAccess,
  goal: Goal,
  options: FleetOptions<UpdateStatus> & { readonly cluster?: ClusterOptions },
): Promise<NodeResult> {
  const { recordPath, cluster, ...follow } = options;
  const startMs = performance.now();
  const { turn } = await readUpdateRecord(recordPath);
  const turnOptions = {
    ...follow,
    resumed: turn?.node === node.name,
    beforeChange: async (from: string) => {
      await beginTurn(recordPath, { node: node.name, from, to: goal.target, order: goal.order });
    },
  };
  const result =
    cluster === undefined
      ? await runTurn(node, goal, turnOptions)
      : await runMemberTurn(node, goal, { ...turnOptions, member: cluster.member(node.name), policy: cluster.policy });
  // Without a proof it may be either: both stay right until the turn is repeated.
  if (result.proven !== undefined) await endTurn(recordPath, node.name, result.proven);
  return nodeResult(node.name, goal.target, result, performance.now() - startMs);
}
