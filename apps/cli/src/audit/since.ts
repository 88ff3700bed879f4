import type { Causes, NoiseRule } from "@ashlar/audit";
import { firstOf } from "@ashlar/base";
import { readLimited } from "@ashlar/host";
import { problemOf, snapshotsIn, type FailedNode, type SnapshotPath } from "./read-nodes.ts";

const MAX_NAMES = 12;

/** How nodes differ from their own earlier snapshots. */
export type Since = {
  readonly directory: string;
  readonly changed: readonly { readonly name: string; readonly causes: Causes }[];
  readonly unchanged: readonly string[];
  /** Of which the earlier snapshot does not have all. */
  readonly incomplete: readonly string[];
  /** Of which there is no earlier snapshot. */
  readonly added: readonly string[];
  /** Of which there is only an earlier snapshot. */
  readonly gone: readonly string[];
  /** Of which one of the two could not be read. */
  readonly failed: readonly FailedNode[];
};

/** @throws AshlarError `not-found` when there are no earlier snapshots */
export async function compareSince(
  directory: string,
  now: readonly SnapshotPath[],
  rules: readonly NoiseRule[],
): Promise<Since> {
  const { changesSince, MAX_SNAPSHOT_BYTES, SnapshotReader } = await import("@ashlar/audit");
  const earlier = new Map((await snapshotsIn(directory)).map(({ name, path }) => [name, path]));
  const reader = new SnapshotReader();
  const read = async (path: string): Promise<ReturnType<typeof reader.read>> =>
    reader.read(await readLimited(path, MAX_SNAPSHOT_BYTES, { links: "follow" }));
  const changed: { name: string; causes: Causes }[] = [];
  const unchanged: string[] = [];
  const incomplete: string[] = [];
  const failed: FailedNode[] = [];
  for (const { name, path } of now) {
    const before = earlier.get(name);
    if (before === undefined) continue;
    try {
      const { causes, wasComplete } = changesSince(await read(before), await read(path), rules);
      if (!wasComplete) incomplete.push(name);
      if (causes === undefined) unchanged.push(name);
      else changed.push({ name, causes });
    } catch (error) {
      failed.push({ name, problem: problemOf(error) });
    }
  }
  const names = new Set(now.map(({ name }) => name));
  return {
    directory,
    changed,
    unchanged,
    incomplete,
    added: [...names].filter((name) => !earlier.has(name)),
    gone: [...earlier.keys()].filter((name) => !names.has(name)),
    failed,
  };
}

/** What of it could not be compared, in words. */
export function sinceGaps({ added, gone, incomplete, failed }: Since): string[] {
  return [
    ...(added.length > 0 ? [`not there before: ${firstOf(added, MAX_NAMES)}`] : []),
    ...(gone.length > 0 ? [`only there before: ${firstOf(gone, MAX_NAMES)}`] : []),
    ...(incomplete.length > 0 ? [`not complete before: ${firstOf(incomplete, MAX_NAMES)}`] : []),
    ...failed.map(({ name, problem }) => `not compared: ${name}: ${problem}`),
  ];
}
