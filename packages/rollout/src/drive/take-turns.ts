import { AshlarError } from "@ashlar/base";
import type { NodeResult } from "../turn/update-result.ts";

export type Turns<Node> = {
  /** Whose turn has not ended, and what to do when it is none of these nodes. */
  readonly pending: { readonly node: string; readonly hint: string } | undefined;
  readonly take: (node: Node) => Promise<NodeResult>;
  readonly untouched: (name: string) => NodeResult;
};

/**
 * Gives each node its turn, one after the other, and stops at the first that is not proven to be what it should. A node
 * whose turn has not ended comes first.
 *
 * @throws AshlarError `conflict` when that is a node that is not among them
 */
export async function takeTurns<Node extends { readonly name: string }>(
  nodes: readonly Node[],
  { pending, take, untouched }: Turns<Node>,
): Promise<{ readonly outcome: "complete" | "stopped"; readonly nodes: readonly NodeResult[] }> {
  if (pending !== undefined && !nodes.some(({ name }) => name === pending.node)) {
    throw new AshlarError("conflict", `another update has not finished: ${pending.node}'s`, {
      hint: pending.hint,
    });
  }
  const isPending = ({ name }: Node): number => Number(name === pending?.node);
  const results: NodeResult[] = [];
  let stopped = false;
  for (const node of nodes.toSorted((a, b) => isPending(b) - isPending(a))) {
    const result: NodeResult = stopped ? untouched(node.name) : await take(node);
    results.push(result);
    stopped ||= result.outcome === "stopped";
  }
  return { outcome: stopped ? "stopped" : "complete", nodes: results };
}
