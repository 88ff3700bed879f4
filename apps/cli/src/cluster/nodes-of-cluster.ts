import { isIP, isIPv6 } from "node:net";
import { AshlarError } from "@ashlar/base";
import type { Cluster, KubeNode } from "@ashlar/kube";
import type { DeclaredNode, DeclaredNodes } from "@ashlar/verifier/declared";
import { nodesOfLab } from "../prove/nodes-of-lab.ts";
import { ClassNotFound, classConfigsIn, type ClassConfigs } from "./class-configs.ts";

export type ClusterNodesOptions = {
  /** The lab whose cluster it is. */
  readonly lab?: string | undefined;
  readonly config?: string | undefined;
  readonly filesDir?: string | undefined;
  readonly nodeConfigs?: string | undefined;
};

export type ClusterNodes = DeclaredNodes & {
  /** By name: what the API server says of nodes that are not as they should be. It proves nothing. */
  readonly notes: ReadonlyMap<string, string>;
};

const AGENT_PORT = 7443;

/** The cluster that is meant: the lab's own, unless a kubeconfig is named. */
export async function openCluster(options: {
  readonly lab?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}): Promise<Cluster> {
  const { Cluster: Clusters } = await import("@ashlar/kube");
  const { lab: labName, kubeconfig, context } = options;
  if (labName === undefined || kubeconfig !== undefined) return await Clusters.open({ kubeconfig, context });
  const { openLab } = await import("@ashlar/lab");
  const { cluster } = await openLab(labName);
  if (cluster === undefined) {
    throw new AshlarError("not-found", `lab ${labName} has no cluster`, {
      hint: "`ashlar lab up --cluster` makes one",
    });
  }
  return await Clusters.open({ kubeconfig: cluster.kubeconfig, context });
}

/**
 * The nodes of a cluster, with what each was declared to be. A node whose declaration cannot be found has a `fault`: it is
 * not proven, and the others are. Of a lab's own nodes the lab knows address and configs.
 */
export async function nodesOfCluster(
  cluster: Cluster,
  { lab, config, filesDir, nodeConfigs }: ClusterNodesOptions,
  signal: AbortSignal,
): Promise<ClusterNodes> {
  const found = await cluster.nodes(signal);
  if (found.length === 0) throw new AshlarError("not-found", "the cluster has no nodes");
  const { userPinsPath } = await import("@ashlar/verifier/declared");
  const classConfigs = classConfigsIn(config, filesDir);
  const known = lab === undefined ? undefined : await nodesOfLab(lab, undefined);
  const nodes: DeclaredNode[] = [];
  for (const node of found) {
    const own = known?.nodes.find(({ name }) => name === node.name);
    const nodeConfig = own?.nodeConfig ?? (await nodeConfigOf(node, nodeConfigs));
    const declared = { ...(own ?? { url: urlOf(node), classConfig: NOTHING }), name: node.name, nodeConfig };
    nodes.push(withSilence({ ...declared, ...(await declarationOf(node, declared.url, classConfigs)) }, node));
  }
  const pinsPath = known?.pinsPath ?? userPinsPath();
  const notes = new Map(found.flatMap((node) => (node.isReady ? [] : [[node.name, notReady(node)]])));
  return { ...known, nodes, pinsPath, notes };
}

const NOTHING = new Uint8Array();
const NO_ADDRESS = "https://unknown.invalid";

/** Where a Node's agent is, or why nobody knows. */
export function addressOf(node: KubeNode): { readonly url: string; readonly fault?: string } {
  const url = urlOf(node);
  return url === NO_ADDRESS ? { url, fault: WITHOUT_ADDRESS } : { url };
}

const WITHOUT_ADDRESS = "its Node has no InternalIP";

function urlOf({ internalAddress = "" }: KubeNode): string {
  if (isIP(internalAddress) === 0) return NO_ADDRESS;
  return `https://${isIPv6(internalAddress) ? `[${internalAddress}]` : internalAddress}:${AGENT_PORT}`;
}

async function nodeConfigOf({ name }: KubeNode, directory: string | undefined): Promise<Uint8Array> {
  const { readNodeConfig } = await import("@ashlar/verifier/declared");
  return (directory === undefined ? undefined : await readNodeConfig(directory, name)) ?? NOTHING;
}

/** What `--config` says of the node, or why nothing can be said of it. */
async function declarationOf(
  node: KubeNode,
  url: string,
  classConfigs: ClassConfigs,
): Promise<{ readonly classConfig?: Uint8Array; readonly fault?: string }> {
  if (url === NO_ADDRESS) return { fault: WITHOUT_ADDRESS };
  try {
    const classConfig = await classConfigs(node.className);
    return classConfig === undefined ? {} : { classConfig };
  } catch (error) {
    // A class without a file is this node's fault. A file that is wrong, or that was mistyped, is the command's.
    if (!(error instanceof ClassNotFound)) throw error;
    return { fault: error.message };
  }
}

/** A node that does not answer: what the API server says may be why. */
export function withSilence(declared: DeclaredNode, node: KubeNode): DeclaredNode {
  const says = node.isReady
    ? `the API server says that its Node is Ready, so is there an agent at ${declared.url}?`
    : `the API server says that ${notReady(node)}`;
  const explainSilence = async (): Promise<string> => {
    const own = await declared.explainSilence?.();
    return own === undefined ? says : `${own}; ${says}`;
  };
  return { ...declared, explainSilence };
}

export function notReady({ readiness }: KubeNode): string {
  return `its Node is not Ready${readiness === "" ? "" : ` (${readiness})`}`;
}
