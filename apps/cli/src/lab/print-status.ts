import { printJson, printLine } from "@ashlar/host/terminal";
import type { ClusterStatus, Lab, NodeStatus } from "@ashlar/lab";
import { printTable } from "./print-table.ts";

export async function printStatus(lab: Lab, asJson: boolean): Promise<void> {
  const [nodes, cluster] = await Promise.all([lab.status(), lab.clusterStatus()]);
  if (asJson) {
    const members = cluster === undefined ? {} : { cluster };
    return printJson({ lab: lab.name, accelerator: lab.accelerator, nodes, ...members });
  }
  const rows = nodes.map((node) => [node.name, stateOf(node), uptimeOf(node), node.agentUrl, portsOf(node)]);
  printTable([["NODE", "STATE", "UPTIME", "AGENT", "PORT"], ...rows]);
  if (cluster !== undefined) printLine(clusterLine(cluster));
}

/** For example `cluster: Kubernetes v1.33.5 at https://127.0.0.1:22006, running; ready: node-1; not ready: node-2`. */
function clusterLine({ version, server, state, nodes }: ClusterStatus): string {
  const names = (ready: boolean): string =>
    (nodes ?? [])
      .filter((node) => node.ready === ready)
      .map(({ name }) => name)
      .join(", ");
  const known = [
    ["ready", names(true)],
    ["not ready", names(false)],
  ].filter(([, list]) => list !== "");
  return [`cluster: Kubernetes ${version} at ${server}, ${state}`, ...known.map((words) => words.join(": "))].join(
    "; ",
  );
}

function stateOf(node: NodeStatus): string {
  if (node.state !== "running") return node.state;
  return node.agent ? "running" : `starting (${node.phase})`;
}

function portsOf({ sshPort, servicePort }: NodeStatus): string {
  return servicePort === null ? `ssh ${sshPort}` : `ssh ${sshPort}, NodePort 30080 ${servicePort}`;
}

function uptimeOf(node: NodeStatus): string {
  return node.uptimeSeconds === null ? "-" : `${node.uptimeSeconds} s`;
}
