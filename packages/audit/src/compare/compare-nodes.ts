import { createHash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { noiseFilter, type NoiseRule } from "../rules/noise-rule.ts";
import { findCauses, type Differing } from "./find-causes.ts";
import type { NodeTable, Row } from "./node-table.ts";
import type { Comparison, Group } from "./report.ts";

type Options = {
  readonly rules: readonly NoiseRule[];
  /** The node that the others are compared with. Default: one of the largest group. */
  readonly baseline?: string | undefined;
};

/** Of more groups a picture says nothing. */
const MAX_DISTANCES = 60;

/**
 * Groups nodes that are alike, and says of each group why it is not the first.
 *
 * @throws AshlarError `usage` when there is no node of the baseline's name
 */
export function compareNodes(table: NodeTable, { rules, baseline }: Options): Comparison {
  if (baseline !== undefined && !table.rows.some(({ name }) => name === baseline))
    throw new AshlarError("usage", `expected the name of a node that was collected as the baseline, found ${baseline}`);
  const isStateCompared = table.rows.every(({ isRunning }) => isRunning);
  const { differing, noise } = findDiffering(table, rules, isStateCompared);
  const groups = groupBy(table.rows, (row) => signature(row, differing)).toSorted(
    (left, right) =>
      Number(holds(right, baseline)) - Number(holds(left, baseline)) ||
      right.length - left.length ||
      ((left[0]?.name ?? "") < (right[0]?.name ?? "") ? -1 : 1),
  );
  const files = differing.filter(({ key }) => /^(?:\/|package:)/u.test(table.keys[key] ?? ""));
  const [reference] = groups[0] ?? [];
  return {
    nodes: groups.flatMap((rows, group) => rows.map((row) => nodeOf(row, group))),
    filesystems: groupBy(table.rows, (row) => signature(row, files)).length,
    orders: groupBy(table.rows, ({ order }) => order).length,
    isStateCompared,
    groups: groups.flatMap((rows): Group[] => {
      const [row] = rows;
      if (row === undefined || reference === undefined) return [];
      return [{ nodes: rows.map(({ name }) => name), causes: findCauses(table, differing, row, reference) }];
    }),
    distances: distancesBetween(
      groups.slice(0, MAX_DISTANCES).flatMap(([row]) => (row === undefined ? [] : [valuesOf(row, differing)])),
    ),
    noise,
  };
}

/** In how many pairs of numbers, content and mode, each differs from each. */
function distancesBetween(values: readonly Uint32Array[]): readonly (readonly number[])[] {
  return values.map((one) =>
    values.map((other) => {
      let count = 0;
      for (let index = 0; index < one.length; index += 2)
        if (one[index] !== other[index] || one[index + 1] !== other[index + 1]) count += 1;
      return count;
    }),
  );
}

function nodeOf(row: Row, group: number): Comparison["nodes"][number] {
  const { name, host, facts, unread, missing, isByRoot } = row;
  const isComplete =
    isByRoot && !unread.some(({ why }) => why !== "mount") && !missing.some((each) => each !== "getcap");
  return { name, host, facts, group, isComplete, unread, missing, isByRoot };
}

/** What only a node that runs can tell. */
const IN_EFFECT = /^(?:kernel$|command-line$|(?:module|sysctl|mount|unit|running):)/u;

function findDiffering(
  table: NodeTable,
  rules: readonly NoiseRule[],
  isStateCompared: boolean,
): { differing: Differing[]; noise: Comparison["noise"] } {
  const filter = noiseFilter(rules);
  const ignored = new Map<string, number>();
  const differing: Differing[] = [];
  for (const [key, sides] of sidesThatDiffer(table)) {
    const name = table.keys[key] ?? "";
    if (!isStateCompared && IN_EFFECT.test(name)) continue;
    const contentRule = sides.content ? filter(name, "content") : undefined;
    const modeRule = sides.mode ? filter(name, "mode") : undefined;
    const rule = contentRule ?? modeRule;
    if (rule !== undefined) ignored.set(rule.name, (ignored.get(rule.name) ?? 0) + 1);
    const left = {
      key,
      content: sides.content && contentRule === undefined,
      mode: sides.mode && modeRule === undefined,
    };
    if (left.content || left.mode) differing.push(left);
  }
  return { differing, noise: rules.map(({ name, reason }) => ({ name, reason, ignored: ignored.get(name) ?? 0 })) };
}

/** By key, in the order of keys. */
function sidesThatDiffer({ rows }: NodeTable): readonly (readonly [number, { content: boolean; mode: boolean }])[] {
  const found = new Map<number, { content: boolean; mode: boolean }>();
  const [first, ...others] = rows;
  if (first === undefined) return [];
  for (const { values } of others) {
    for (const key of values.keys) {
      const sides = found.get(key) ?? { content: false, mode: false };
      sides.content ||= values.content(key) !== first.values.content(key);
      sides.mode ||= values.mode(key) !== first.values.mode(key);
      found.set(key, sides);
    }
  }
  return [...found].toSorted(([left], [right]) => left - right);
}

function signature(row: Row, differing: readonly Differing[]): string {
  return createHash("sha256").update(valuesOf(row, differing)).digest("hex");
}

/** Content and mode of each; 0 for what does not count. */
function valuesOf(row: Row, differing: readonly Differing[]): Uint32Array {
  const values = new Uint32Array(differing.length * 2);
  for (const [index, { key, content, mode }] of differing.entries()) {
    if (content) values[index * 2] = row.values.content(key);
    if (mode) values[index * 2 + 1] = row.values.mode(key);
  }
  return values;
}

function groupBy(rows: readonly Row[], textOf: (row: Row) => string): Row[][] {
  return [...Map.groupBy(rows, textOf).values()];
}

function holds(rows: readonly Row[], name: string | undefined): boolean {
  return rows.some((row) => row.name === name);
}
