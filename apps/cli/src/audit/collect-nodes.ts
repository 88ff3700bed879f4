import { mkdir } from "node:fs/promises";
import type { ClusterOptions } from "@ashlar/audit";
import { AshlarError, mapLimited } from "@ashlar/base";
import { listDirectory } from "@ashlar/host";
import { reportLine } from "@ashlar/host/terminal";
import { pathOf, piecesPathOf, problemOf, type FailedNode, type SnapshotPath } from "./read-nodes.ts";
import { countOf, timeLeft } from "./words.ts";

export type CollectSources = {
  readonly roots: readonly string[];
  readonly hosts: readonly string[];
  /** In place of the user's configuration of OpenSSH. */
  readonly sshConfig: string | undefined;
  /** A cluster, of which those nodes are asked that the selector chooses. */
  readonly cluster: (ClusterOptions & { readonly selector: string | undefined }) | undefined;
  readonly patienceMs: number;
  /** How many at a time. */
  readonly parallel: number;
  /** Asks also the nodes that were asked before. */
  readonly again: boolean;
  /** Snapshots of the same nodes from before: what is as it was then they do not send again. */
  readonly since: string | undefined;
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
  const { clusterNodes, collectKubernetes, collectRoot, collectSsh } = await import("@ashlar/audit");
  const { roots, hosts, sshConfig, cluster, patienceMs, parallel, again, since } = sources;
  const members = cluster === undefined ? [] : await clusterNodes(cluster, signal);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = new Set([...roots, ...hosts, ...members.map(({ name }) => name)]);
  const kept = new Set((await listDirectory(directory, MAX_ENTRIES)).map(({ name }) => name));
  const wasAsked = (name: string): boolean => !again && kept.has(pathOf("", name));
  const asked = [...names].filter((name) => !wasAsked(name));
  const earlier = (name: string): string | undefined =>
    since === undefined || kept.has(piecesPathOf("", name)) ? undefined : piecesPathOf(since, name);
  const known = names.size - asked.length;
  if (known > 0)
    reportLine(`${countOf(known, "node")} collected before, as kept in ${directory}: --again asks once more`);
  const failed: FailedNode[] = [];
  const progress = progressOver(asked.length, failed);
  const ask = async (name: string): Promise<void> => {
    if (signal.aborted) throw new AshlarError("interrupted", "collecting was interrupted");
    const pieces = piecesPathOf(directory, name);
    const sentBefore = earlier(name) ?? pieces;
    const options = { to: pathOf(directory, name), pieces, sentBefore, patienceMs, signal };
    const member = members.find((each) => each.name === name);
    try {
      if (roots.includes(name)) await collectRoot(name, options);
      else if (hosts.includes(name)) await collectSsh(name, { ...options, config: sshConfig });
      else if (cluster !== undefined && member?.isReady === true)
        await collectKubernetes(name, { ...options, ...cluster });
      else throw new AshlarError("unavailable", "its cluster says that it is not Ready");
    } catch (error) {
      failed.push({ name, problem: problemOf(error) });
    }
    progress(name);
  };
  // Trees are on the disks of this machine, hosts have their own.
  const [trees, others] = [asked.filter((name) => roots.includes(name)), asked.filter((name) => !roots.includes(name))];
  await Promise.all([mapLimited(trees, 1, ask), mapLimited(others, parallel, ask)]);
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
