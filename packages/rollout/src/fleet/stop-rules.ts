import type { Fleet, FleetPolicy, Halt } from "./fleet.ts";
import type { Nodes } from "./membership.ts";
import { STATES } from "./node-state.ts";
import { CANARY } from "./plan-waves.ts";

/**
 * Why the rollout stops by itself: a mismatch anywhere, a node that is not proven after its restart, one of the canary
 * that has failed, or more that have than is tolerated. It stays so until somebody raises the attempt.
 */
export function findHalt(
  { target, tolerate }: FleetPolicy,
  { records }: Fleet,
  nodes: Nodes,
  nowMs: number,
): Halt | undefined {
  const halt = (node: string, message: string): Halt => ({ node, message: `${node}: ${message}`, sinceMs: nowMs });
  for (const { name, state } of records) {
    // In its turn it may be either; whoever carries that out judges it.
    const proof = STATES[state].isOut || state === "Skipped" ? undefined : nodes.get(name)?.proof;
    if (proof?.kind === "mismatch") return halt(name, `it has proved to be something else: ${proof.message}`);
    const isBack = state === "Done" && proof?.kind === "proven" && proof.release !== target;
    if (isBack) return halt(name, `it has proved ${target}, and runs ${proof.release} since`);
  }
  const held = records.find(({ state }) => state === "Held");
  if (held !== undefined) return halt(held.name, `it has not come home after its restart: ${held.message}`);
  const failed = records.filter(({ state }) => state === "Failed" || state === "FellBack");
  const canary = failed.find(({ wave }) => wave === CANARY);
  if (canary !== undefined) return halt(canary.name, `of the canary: ${canary.message}`);
  const last = failed.toSorted((a, b) => a.sinceMs - b.sinceMs).at(-1);
  if (last === undefined || failed.length <= tolerate) return undefined;
  const words = failed.length === 1 ? "1 node has failed" : `${failed.length} nodes have failed`;
  return halt(last.name, `${last.message} (${words}, and ${tolerate} may)`);
}
