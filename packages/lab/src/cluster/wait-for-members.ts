import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import { ConsoleFollower } from "../console-log.ts";
import { nodePaths, type LabPaths } from "../lab-paths.ts";
import { clusterPaths } from "./cluster-paths.ts";
import type { ClusterState } from "./cluster-state.ts";
import { membersOf, type Member } from "./members.ts";

export type WaitForMembersOptions = {
  readonly say: (message: string) => void;
  /** How long nothing new may be seen, neither of the nodes' consoles nor of the cluster. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
};

const POLL_MS = 3000;

/**
 * Waits until the nodes are members of the cluster and ready for pods.
 *
 * @throws AshlarError `unavailable` when a node does not become one
 */
export async function waitForMembers(
  lab: LabPaths,
  state: ClusterState,
  nodes: readonly string[],
  { say, timeoutMs, signal }: WaitForMembersOptions,
): Promise<void> {
  const start = performance.now();
  const consoles = nodes.map((name) => new ConsoleFollower(nodePaths(lab, name).console));
  const told = new Map<string, string>();
  let lastNews = start;
  let news = 0;
  for (;;) {
    throwIfInterrupted(signal);
    const members = await membersOf(clusterPaths(lab), state, signal);
    for (const name of nodes) {
      const words = describe(members?.find((each) => each.name === name));
      if (members === undefined || told.get(name) === words) continue;
      told.set(name, words);
      lastNews = performance.now();
      say(`${name}: ${words} (${Math.round((lastNews - start) / 1000)} s)`);
    }
    const missing = nodes.filter((name) => told.get(name) !== READY);
    if (missing.length === 0) return;
    for (const log of consoles) await log.read();
    const newsNow = consoles.reduce((sum, log) => sum + log.news, 0);
    if (newsNow > news) lastNews = performance.now();
    news = newsNow;
    if (performance.now() - lastNews > timeoutMs) throw notJoined(lab, missing, timeoutMs);
    await sleep(POLL_MS);
  }
}

const READY = "ready in the cluster";

function describe(member: Member | undefined): string {
  if (member === undefined) return "not in the cluster yet";
  return member.ready ? READY : "in the cluster, not ready yet";
}

function notJoined(lab: LabPaths, missing: readonly string[], timeoutMs: number): AshlarError {
  const minutes = Math.round(timeoutMs / 60_000);
  const who = missing.join(", ");
  return new AshlarError(
    "unavailable",
    `${who}: expected a node that is ready in the cluster; nothing new for ${minutes} minutes`,
    {
      hint: `does its class join (kubeadm join --config /etc/kubernetes/join.yaml)? \`ashlar lab ssh ${missing[0]} --name ${lab.name} -- journalctl -b -u 'kube*'\` shows how far it came`,
    },
  );
}
