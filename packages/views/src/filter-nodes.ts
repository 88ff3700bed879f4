import type { Level } from "@ashlar/identity";
import type { NodeSummary } from "./documents.ts";

export type ShownNode = { readonly node: NodeSummary; readonly level: Level };

/**
 * Those in which each word of the filter occurs, in name, level, release, identity, class or first difference. Letters' case does not matter.
 *
 * @param levels those that are wanted; none means all
 */
export function filterNodes<Shown extends ShownNode>(
  nodes: readonly Shown[],
  text: string,
  levels: ReadonlySet<Level>,
): readonly Shown[] {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean);
  if (words.length === 0 && levels.size === 0) return nodes;
  return nodes.filter(({ node, level }) => {
    if (levels.size > 0 && !levels.has(level)) return false;
    if (words.length === 0) return true;
    const { name, release, identity, difference } = node;
    const found = [name, level, release, identity, node.class, difference?.what, difference?.found]
      .join("\n")
      .toLowerCase();
    return words.every((word) => found.includes(word));
  });
}
