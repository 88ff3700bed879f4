import type { Running } from "@ashlar/fleet";
import type { Level } from "@ashlar/identity";
import type { KnownNode } from "../contents/known-node.ts";
import { explainDifference, type Differences, type Knowledge } from "./explain.ts";

/** A node, what was wrong with it in words, and what its firmware has measured. */
export type ExplainedNode = KnownNode & {
  readonly complaints?: readonly string[];
  /** PCRs 0, 2, 3 and 7, as far as they are the firmware's. */
  readonly firmware?: FirmwareValues;
};

export type FirmwareValues = Readonly<Record<"0" | "2" | "3" | "7", string>>;

export type IdentityGroup = {
  readonly running: Running;
  readonly nodes: readonly string[];
  readonly levels: Readonly<Partial<Record<Level, number>>>;
  /** From the first group to this one; null for the first. */
  readonly differences: Differences | null;
};

export type Explanation = {
  /** Nodes that run the same under the same configuration, the largest group first. */
  readonly groups: readonly IdentityGroup[];
  /** Nodes of which nobody knows what they run. */
  readonly unknown: readonly string[];
  /** What is wrong or not known of nodes, each with the nodes that it is said of. */
  readonly complaints: readonly { readonly text: string; readonly nodes: readonly string[] }[];
  /** Nodes with the same firmware, the largest group first; those whose evidence is not here are in none. */
  readonly firmware: readonly { readonly values: FirmwareValues; readonly nodes: readonly string[] }[];
};

/** Why nodes differ: they are grouped by what was measured, and each group is compared with the largest one. */
export function explainNodes(nodes: readonly ExplainedNode[], knowledge: Knowledge): Explanation {
  const known = nodes.filter(({ running }) => running.identity !== null);
  const bySize = largestFirst(Map.groupBy(known, ({ running }) => running.identity));
  const reference = bySize[0]?.[0];
  const complaints = Map.groupBy(
    nodes.flatMap(({ name, complaints: all = [] }) => all.map((text) => ({ name, text }))),
    ({ text }) => text,
  );
  const withFirmware = nodes.flatMap(({ name, firmware }) => (firmware === undefined ? [] : [{ name, firmware }]));
  return {
    groups: bySize.flatMap((group): IdentityGroup[] => {
      const [first] = group;
      if (first === undefined || reference === undefined) return [];
      const differences = first === reference ? null : explainDifference(reference.running, first.running, knowledge);
      return [{ running: first.running, nodes: namesOf(group), levels: countLevels(group), differences }];
    }),
    unknown: namesOf(nodes.filter(({ running }) => running.identity === null)),
    complaints: [...complaints].map(([text, all]) => ({ text, nodes: namesOf(all) })),
    firmware: largestFirst(Map.groupBy(withFirmware, ({ firmware }) => JSON.stringify(firmware))).flatMap((group) =>
      group[0] === undefined ? [] : [{ values: group[0].firmware, nodes: namesOf(group) }],
    ),
  };
}

export type ChangedGroup = {
  readonly from: Running;
  readonly to: Running;
  readonly nodes: readonly string[];
  readonly differences: Differences;
};

/** Why nodes are something else later than before: those that changed alike together. Whoever joined or left is not among them. */
export function explainChanges(
  before: readonly KnownNode[],
  after: readonly KnownNode[],
  knowledge: Knowledge,
): readonly ChangedGroup[] {
  const old = new Map(before.map((node) => [node.name, node]));
  const changed = after.flatMap((node) => {
    const from = old.get(node.name)?.running;
    if (from === undefined || from.identity === null || node.running.identity === null) return [];
    return from.identity === node.running.identity ? [] : [{ name: node.name, from, to: node.running }];
  });
  const alike = Map.groupBy(changed, ({ from, to }) => `${from.identity} ${to.identity}`);
  return largestFirst(alike).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { from, to } = first;
    return [{ from, to, nodes: namesOf(group), differences: explainDifference(from, to, knowledge) }];
  });
}

function largestFirst<T>(groups: ReadonlyMap<unknown, readonly T[]>): readonly (readonly T[])[] {
  return [...groups.values()].toSorted((a, b) => b.length - a.length);
}

function namesOf(nodes: readonly { readonly name: string }[]): string[] {
  return nodes.map(({ name }) => name);
}

function countLevels(nodes: readonly KnownNode[]): Partial<Record<Level, number>> {
  const counts: Partial<Record<Level, number>> = {};
  for (const { level } of nodes) counts[level] = (counts[level] ?? 0) + 1;
  return counts;
}
