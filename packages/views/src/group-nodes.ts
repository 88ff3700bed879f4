import type { Level } from "@ashlar/identity";
import type { ShownNode } from "./filter-nodes.ts";

export const GROUPINGS = ["identity", "level", "release", "class", "none"] as const;
export type Grouping = (typeof GROUPINGS)[number];

export type NodeGroup<Shown extends ShownNode> = {
  /** The value that its nodes share; null for those that have none, undefined where all others are put together. */
  readonly key: string | null | undefined;
  readonly nodes: readonly Shown[];
};

export const LEVELS_WORST_FIRST: readonly Level[] = ["mismatch", "unknown", "reported", "proven"];

/**
 * Groups by what nodes share, the largest first, but levels the worst first. More than `most` groups would be no overview: the
 * smallest are put together.
 */
export function groupNodes<Shown extends ShownNode>(
  nodes: readonly Shown[],
  by: Grouping,
  most: number,
): readonly NodeGroup<Shown>[] {
  if (by === "none") return nodes.length === 0 ? [] : [{ key: undefined, nodes }];
  const groups = [...Map.groupBy(nodes, ({ node, level }) => (by === "level" ? level : node[by]))].map(
    ([key, members]) => ({ key, nodes: members }),
  );
  const sorted = groups.toSorted((a, b) =>
    by === "level"
      ? rank(a.key) - rank(b.key)
      : b.nodes.length - a.nodes.length || textOf(a.key).localeCompare(textOf(b.key)),
  );
  if (sorted.length <= most) return sorted;
  const others = sorted.slice(most - 1).flatMap((group) => group.nodes);
  return [...sorted.slice(0, most - 1), { key: undefined, nodes: others }];
}

function rank(key: string | null): number {
  return LEVELS_WORST_FIRST.findIndex((level) => level === key);
}

/** Nodes without a value go last among groups of one size. */
function textOf(key: string | null): string {
  return key ?? "\u{10ffff}";
}
