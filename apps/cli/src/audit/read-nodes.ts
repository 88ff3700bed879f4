import { join } from "node:path";
import type { NodeTable, Snapshot, SnapshotReader } from "@ashlar/audit";
import { AshlarError } from "@ashlar/base";
import { listDirectory, readLimited } from "@ashlar/host";

export type FailedNode = { readonly name: string; readonly problem: string };
export type SnapshotPath = { readonly name: string; readonly path: string };

const ENDING = ".snapshot";

/** Where a node's snapshot is kept. */
export function pathOf(directory: string, name: string): string {
  return join(directory, `${encodeURIComponent(name)}${ENDING}`);
}

const MAX_NODES = 10_000;

/** @throws AshlarError `not-found`, `limit`, `failed`, `malformed` */
export async function readSnapshot(reader: SnapshotReader, path: string): Promise<Snapshot> {
  const { MAX_SNAPSHOT_BYTES } = await import("@ashlar/audit");
  return reader.read(await readLimited(path, MAX_SNAPSHOT_BYTES, { links: "follow" }));
}

/** What else is done with each snapshot while it is there. */
export type Visit = (name: string, snapshot: Snapshot, reader: SnapshotReader) => Promise<void>;

/** Reads what was collected, now and before. A file that is no snapshot is a node that failed. */
export async function readNodes(
  table: NodeTable,
  paths: readonly SnapshotPath[],
  visit?: Visit,
): Promise<FailedNode[]> {
  const { SnapshotReader } = await import("@ashlar/audit");
  const failed: FailedNode[] = [];
  const reader = new SnapshotReader();
  for (const { name, path } of paths) {
    try {
      const snapshot = await readSnapshot(reader, path);
      table.add(name, snapshot);
      await visit?.(name, snapshot, reader);
    } catch (error) {
      failed.push({ name, problem: problemOf(error) });
    }
  }
  return failed;
}

/** @throws AshlarError `not-found` when there are none */
export async function snapshotsIn(directory: string): Promise<readonly SnapshotPath[]> {
  const entries = await listDirectory(directory, MAX_NODES, { links: "follow" });
  const found = entries.filter(({ name }) => name.endsWith(ENDING));
  if (found.length === 0)
    throw new AshlarError("not-found", `expected files that end with ${ENDING} in ${directory}, found none`);
  return found.map(({ name }) => ({ name: decode(name.slice(0, -ENDING.length)), path: join(directory, name) }));
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // Named by hand, and not by us.
    return name;
  }
}

/** What was expected to go wrong with a node; everything else ends the audit. */
export function problemOf(error: unknown): string {
  if (error instanceof AshlarError && error.code !== "interrupted") return error.message;
  throw error;
}
