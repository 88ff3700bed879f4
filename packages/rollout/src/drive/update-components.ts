import type { ExtensionsStatus, MeasuredExtension, MergedExtension } from "@ashlar/protocol";
import { beginComponentTurn, endComponentTurn, readExtensionRecord } from "@ashlar/verifier/declared";
import type { ComponentAccess } from "./component-access.ts";
import type { ComponentGoal } from "../turn/component-turn.ts";
import { runComponentTurn } from "./run-component-turn.ts";
import { takeTurns } from "./take-turns.ts";
import type { FleetOptions } from "./update-fleet.ts";
import {
  nodeResult,
  untouched,
  UPDATE_RESULT_SCHEMA,
  type NodeResult,
  type UpdateResult,
} from "../turn/update-result.ts";

/**
 * Takes a component of nodes to another version, without restarting them; see {@link takeTurns}.
 *
 * @throws AshlarError `conflict` when a turn has not ended that is another node's or another component's
 */
export async function updateComponents(
  nodes: readonly ComponentAccess[],
  goal: ComponentGoal,
  options: FleetOptions<ExtensionsStatus>,
): Promise<UpdateResult> {
  const { turn } = await readExtensionRecord(options.recordPath);
  const result = await takeTurns(nodes, {
    pending: turn && { node: turn.node, hint: `first repeat the update of ${turn.component} on ${turn.node}` },
    take: async (node) => takeTurn(node, goal, options),
    untouched: (name) => untouched(name, goal.target),
  });
  return { schema: UPDATE_RESULT_SCHEMA, action: "update", component: goal.component, ...result };
}

async function takeTurn(
  node: ComponentAccess,
  goal: ComponentGoal,
  options: FleetOptions<ExtensionsStatus>,
): Promise<NodeResult> {
  const { recordPath, ...follow } = options;
  const startMs = performance.now();
  const { turn } = await readExtensionRecord(recordPath);
  const { isProven, version, ...result } = await runComponentTurn(node, goal, {
    ...follow,
    resumed: turn?.node === node.name && turn.component === goal.component,
    beforeChange: async (merged) => {
      const { component, target: to } = goal;
      await beginComponentTurn(recordPath, { node: node.name, component, to, right: rightImages(merged, goal) });
    },
  });
  // Without a proof it may be either: both stay right until the turn is repeated.
  if (isProven) await endComponentTurn(recordPath, node.name);
  const proven = isProven ? version : undefined;
  return nodeResult(node.name, goal.target, { ...result, proven }, performance.now() - startMs);
}

/** What the node has been proven to have, and what it shall have. */
function rightImages(merged: MergedExtension | undefined, goal: ComponentGoal): MeasuredExtension[] {
  const { kind, component: name, rootHash } = goal;
  const former = merged === undefined ? [] : [{ kind: merged.kind, name, rootHash: merged.rootHash }];
  return [...former, { kind, name, rootHash }];
}
