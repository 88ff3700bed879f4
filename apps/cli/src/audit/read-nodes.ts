import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { NodeTable } from "@ashlar/audit";
import { AshlarError } from "@ashlar/base";
import { listDirectory, readLimited } from "@ashlar/host";
import { reportLine } from "@ashlar/host/terminal";

export type FailedNode = { readonly name: string; readonly problem: string };
type SnapshotPath = { readonly name: string; readonly path: string };

const ENDING = ".snapshot";
const MAX_NODES = 10_000;

/** Writes one snapshot for each root. One node's fault is told and leaves the others. */
export async function collectNodes(
  directory: string,
  { roots, patienceMs }: { readonly roots: readonly string[]; readonly patienceMs: number },
  signal: AbortSignal,
): Promise<{ readonly files: readonly SnapshotPath[]; readonly failed: readonly FailedNode[] }> {
  const { collectRoot } = await import("@ashlar/audit");
  const files: SnapshotPath[] = [];
  const failed: FailedNode[] = [];
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const [index, name] of new Set(roots).values().toArray().entries()) {
    reportLine(`collecting ${name} (${index + 1} of ${roots.length})`);
    const path = join(directory, `${encodeURIComponent(name)}${ENDING}`);
    try {
      await collectRoot(name, { to: path, patienceMs, signal });
      files.push({ name, path });
    } catch (error) {
      failed.push({ name, problem: problemOf(error) });
    }
  }
  return { files, failed };
}

/** Reads what was collected, now and before. A file that is no snapshot is a node that failed. */
export async function readNodes(
  table: NodeTable,
  collected: readonly SnapshotPath[],
  from: string | undefined,
): Promise<FailedNode[]> {
  const { MAX_SNAPSHOT_BYTES, parseSnapshot } = await import("@ashlar/audit");
  const failed: FailedNode[] = [];
  const names = new Set<string>();
  for (const { name, path } of [...collected, ...(from === undefined ? [] : await snapshotsIn(from))]) {
    if (names.has(name)) continue;
    names.add(name);
    try {
      table.add(name, parseSnapshot(await readLimited(path, MAX_SNAPSHOT_BYTES, { links: "follow" })));
    } catch (error) {
      failed.push({ name, problem: problemOf(error) });
    }
  }
  return failed;
}

async function snapshotsIn(directory: string): Promise<readonly SnapshotPath[]> {
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
function problemOf(error: unknown): string {
  if (error instanceof AshlarError && error.code !== "interrupted") return error.message;
  throw error;
}
