import { ageOf } from "@ashlar/host";
import { agentAnswers } from "./agent-probe.ts";
import type { BootPhase } from "./boot-phase.ts";
import { ConsoleFollower } from "./console-log.ts";
import { nodePaths, type LabPaths } from "./lab-paths.ts";
import type { NodeState } from "./lab-state.ts";
import { findMachine } from "./machine.ts";
import { machineStatus } from "./qmp.ts";

export type NodeStatus = {
  readonly name: string;
  /** A machine is unreachable when it runs and has booted, but neither its agent nor its monitor answers as it should. */
  readonly state: "running" | "stopped" | "unreachable";
  /** How far its boot has come. Null when it is stopped. */
  readonly phase: BootPhase | null;
  readonly agent: boolean;
  /** Since power-on. Null when it is stopped. */
  readonly uptimeSeconds: number | null;
  readonly agentUrl: string;
  readonly sshPort: number;
  /** Where this computer reaches the NodePort 30080. Null without a cluster. */
  readonly servicePort: number | null;
  readonly console: string;
};

const AGENT_TIMEOUT_MS = 10_000;

/** What one node does now. */
export async function nodeStatus(paths: LabPaths, node: NodeState): Promise<NodeStatus> {
  const { console: consolePath, monitorSocket } = nodePaths(paths, node.name);
  const known = {
    name: node.name,
    agentUrl: agentUrl(node),
    sshPort: node.sshPort,
    servicePort: node.servicePort ?? null,
    console: consolePath,
  };
  const qemu = await findMachine(paths, node.name);
  if (qemu === undefined) return { ...known, state: "stopped", phase: null, agent: false, uptimeSeconds: null };
  const [machine, seen, age] = await Promise.all([
    machineStatus(monitorSocket).catch(() => "silent"),
    new ConsoleFollower(consolePath).readAll(),
    ageOf(qemu),
  ]);
  // Before that nobody listens, and the wait would be for nothing.
  const agent = seen.phase === "system" && (await agentAnswers(node.agentPort, AGENT_TIMEOUT_MS));
  const lost = machine !== "running" || (!agent && (seen.phase === "system" || seen.deadEnd !== undefined));
  return {
    ...known,
    state: lost ? "unreachable" : "running",
    phase: agent ? "agent" : seen.phase,
    agent,
    uptimeSeconds: Math.round(age),
  };
}

export function agentUrl(node: NodeState): string {
  return `https://127.0.0.1:${node.agentPort}`;
}
