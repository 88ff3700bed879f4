import type { Running } from "@ashlar/fleet";
import type { Level } from "@ashlar/identity";

/** A node as a verdict or a certificate has it. */
export type KnownNode = { readonly name: string; readonly level: Level; readonly running: Running };

/** Proven nodes that run the same. */
export type SameNodes = { readonly running: Running; readonly nodes: readonly KnownNode[] };

/** Proven nodes by their identity, the largest group first, and the others. */
export function groupNodes(nodes: readonly KnownNode[]): {
  readonly groups: readonly SameNodes[];
  readonly unproven: readonly KnownNode[];
} {
  const isKnown = ({ level, running }: KnownNode): boolean => level === "proven" && running.identity !== null;
  const byIdentity = Map.groupBy(nodes.filter(isKnown), ({ running }) => running.identity);
  const groups = [...byIdentity.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ running: first.running, nodes: same }];
  });
  return {
    groups: groups.toSorted((a, b) => b.nodes.length - a.nodes.length),
    unproven: nodes.filter((node) => !isKnown(node)),
  };
}
