import { mkdir } from "node:fs/promises";
import { AshlarError, mapLimited } from "@ashlar/base";
import { listDirectory } from "@ashlar/host";
import { reportLine } from "@ashlar/host/terminal";
import { pathOf, problemOf, type FailedNode, type SnapshotPath } from "./read-nodes.ts";
import { countOf, timeLeft } from "./words.ts";

export type CollectSources = {
  readonly roots: readonly string[];
  readonly hosts: readonly string[];
  /** In place of the user's configuration of OpenSSH. */
  readonly sshConfig: string | undefined;
  readonly patienceMs: number;
  /** How many at a time. */
  readonly parallel: number;
  /** Asks also the nodes that were asked before. */
  readonly again: boolean;
};

export type Collected = { readonly files: readonly SnapshotPath[]; readonly failed: readonly FailedNode[] };

const MAX_ENTRIES = 100_000;

/**
 * Writes one snapshot for each node, but for those that are there already. One node's fault is told and leaves the others.
 *
 * @throws AshlarError `interrupted`; what was collected until then is kept
 */
export async function collectNodes(
  directory: string,
  sources: CollectSources,
  signal: AbortSignal,
): Promise<Collected> {
  const { collectRoot, collectSsh } = await import("@ashlar/audit");
  const { roots, hosts, sshConfig, patienceMs, parallel, again } = sources;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = new Set([...roots, ...hosts]);
  const kept = new Set((await listDirectory(directory, MAX_ENTRIES)).map(({ name }) => name));
  const wasAsked = (name: string): boolean => !again && kept.has(pathOf("", name));
  const asked = [...names].filter((name) => !wasAsked(name));
  const known = names.size - asked.length;
  if (known > 0)
    reportLine(`${countOf(known, "node")} collected before, as kept in ${directory}: --again asks once more`);
  const failed: FailedNode[] = [];
  const progress = progressOver(asked.length, failed);
  const ask = async (name: string, collect: typeof collectSsh): Promise<void> => {
    if (signal.aborted) throw new AshlarError("interrupted", "collecting was interrupted");
    try {
      await collect(name, { to: pathOf(directory, name), patienceMs, signal, config: sshConfig });
    } catch (error) {
      failed.push({ name, problem: problemOf(error) });
    }
    progress(name);
  };
  // Trees are on the disks of this machine, hosts have their own.
  const [trees, others] = [asked.filter((name) => roots.includes(name)), asked.filter((name) => !roots.includes(name))];
  await Promise.all([
    mapLimited(trees, 1, async (name) => await ask(name, collectRoot)),
    mapLimited(others, parallel, async (name) => await ask(name, collectSsh)),
  ]);
  const files = [...names].map((name) => ({ name, path: pathOf(directory, name) }));
  return { files: files.filter(({ name }) => !failed.some((each) => each.name === name)), failed };
}

/** Tells after each node how far it is. */
function progressOver(total: number, failed: readonly FailedNode[]): (name: string) => void {
  const started = performance.now();
  let done = 0;
  return (name) => {
    done += 1;
    const problem = failed.find((each) => each.name === name)?.problem;
    const counts = `${done} of ${total}${failed.length === 0 ? "" : `, ${failed.length} not collected`}`;
    const left = timeLeft(done, total, performance.now() - started);
    reportLine(
      `${problem === undefined ? "collected" : "not collected:"} ${name} (${counts}${left})${problem === undefined ? "" : `: ${problem}`}`,
    );
  };
}
