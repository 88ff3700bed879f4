import { join } from "node:path";
import type { NodeTable, Snapshot, SnapshotReader } from "@ashlar/audit";
import { AshlarError } from "@ashlar/base";
import { listDirectory, readLimited } from "@ashlar/host";

export type FailedNode = { readonly name: string; readonly problem: string };
/** Throws for bytes that do not count. */
export type Check = (bytes: Uint8Array) => void;
export type SnapshotPath = { readonly name: string; readonly path: string; readonly check?: Check };

const ENDING = ".snapshot";
const PIECES_ENDING = ".pieces";

/** Where a node's snapshot is kept. */
export function pathOf(directory: string, name: string): string {
  return join(directory, `${encodeURIComponent(name)}${ENDING}`);
}

/** Where it is kept what a node has sent, so that it need not send it again. */
export function piecesPathOf(directory: string, name: string): string {
  return join(directory, `${encodeURIComponent(name)}${PIECES_ENDING}`);
}

const MAX_NODES = 10_000;

/** @throws AshlarError `not-found`, `limit`, `failed`, `malformed`, and what the check throws */
export async function readSnapshot(reader: SnapshotReader, { path, check }: SnapshotPath): Promise<Snapshot> {
  const { MAX_SNAPSHOT_BYTES, snapshotOf } = await import("@ashlar/audit");
  const bytes = await readLimited(path, MAX_SNAPSHOT_BYTES, { links: "follow" });
  check?.(bytes);
  return reader.read(snapshotOf(bytes));
}

/** What else is done with each snapshot while it is there. */
export type Visit = (name: string, snapshot: Snapshot, reader: SnapshotReader) => Promise<void>;

/** Reads what was collected, now and before. A file that is no snapshot is a node that failed. */
export async function readNodes(table: NodeTable, paths: readonly SnapshotPath[], visit: Visit): Promise<FailedNode[]> {
  const { SnapshotReader } = await import("@ashlar/audit");
  const failed: FailedNode[] = [];
  const reader = new SnapshotReader();
  for (const each of paths) {
    try {
      const snapshot = await readSnapshot(reader, each);
      table.add(each.name, snapshot);
      await visit(each.name, snapshot, reader);
    } catch (error) {
      failed.push({ name: each.name, problem: problemOf(error) });
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
  return found.map(({ name }) => ({ name: nameOf(name), path: join(directory, name) }));
}

/** The node's, of a snapshot's file. */
export function nameOf(file: string): string {
  const name = file.endsWith(ENDING) ? file.slice(0, -ENDING.length) : file;
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
