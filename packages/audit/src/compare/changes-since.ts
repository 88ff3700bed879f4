import type { NoiseRule } from "../rules/noise-rule.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { compareNodes } from "./compare-nodes.ts";
import { NodeTable } from "./node-table.ts";
import type { Causes } from "./report.ts";

/** What has changed on one node. */
export type Changes = {
  /** `there` is what was before. Undefined when nothing changed that counts. */
  readonly causes: Causes | undefined;
  /** Whether the earlier snapshot has all that a node can tell: where not, what changed is not all known. */
  readonly wasComplete: boolean;
};

/** Compares a node with itself at an earlier time. */
export function changesSince(before: Snapshot, now: Snapshot, rules: readonly NoiseRule[]): Changes {
  const table = new NodeTable();
  table.add("before", before);
  table.add("now", now);
  const { groups, nodes } = compareNodes(table, { rules, baseline: "before" });
  return {
    causes: groups[1]?.causes,
    wasComplete: nodes.some(({ name, isComplete }) => name === "before" && isComplete),
  };
}
