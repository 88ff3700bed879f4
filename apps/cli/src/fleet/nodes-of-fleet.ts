import { AshlarError } from "@ashlar/base";
import type { FleetClass, FleetCluster, FleetNode, FleetTrust } from "@ashlar/fleet";
import type { KubeNode } from "@ashlar/kube";
import type { TrustSources } from "@ashlar/verifier";
import type { DeclaredNode, DeclaredRelease } from "@ashlar/verifier/declared";
import { readClassConfig } from "../class-config.ts";
import { addressOf, notReady, withSilence, type ClusterNodes } from "../cluster/nodes-of-cluster.ts";
import type { ReadFleet } from "./read-fleet.ts";

export type FleetNodes = ClusterNodes & {
  /** Manifests of extensions that classes name. */
  readonly extensions: readonly string[];
};

/** What holds for all nodes of a class. */
type Declaration = Pick<DeclaredNode, "classConfig" | "release" | "trust">;

/**
 * The nodes that a fleet file names, and those of its clusters. A Node of a cluster that is of no class has a `fault`: it is
 * not proven, and the others are.
 *
 * @throws AshlarError `not-found`, `invalid` for files that the fleet file names; what the API servers' clients throw
 */
export async function nodesOfFleet(file: ReadFleet, signal: AbortSignal): Promise<FleetNodes> {
  const { fleet, at } = file;
  const classes = new Map<string, Declaration>();
  for (const [name, each] of fleet.classes) classes.set(name, await declarationOf(each, file));
  const nodes: DeclaredNode[] = [];
  for (const node of fleet.nodes) nodes.push(await declaredNode(node, classes, at));
  const notes = new Map<string, string>();
  const names = new Set(nodes.map(({ name }) => name));
  for (const cluster of fleet.clusters) {
    for (const node of await nodesOfSource(cluster, file, signal)) {
      if (names.has(node.name))
        throw new AshlarError("invalid", `expected each node once in the fleet, found ${node.name} again in a cluster`);
      names.add(node.name);
      nodes.push(withSilence(await nodeOfCluster(node, cluster, classes, at), node));
      if (!node.isReady) notes.set(node.name, notReady(node));
    }
  }
  const { userPinsPath } = await import("@ashlar/verifier/declared");
  const pinsPath = fleet.pins === undefined ? userPinsPath() : at(fleet.pins);
  const extensions = [...fleet.classes.values()].flatMap((each) => (each.extensions ?? []).map(at));
  return { nodes, pinsPath, notes, extensions: [...new Set(extensions)], ...repositoryOf(file) };
}

function repositoryOf({ fleet: { releases, releaseRoot }, at }: ReadFleet): Pick<FleetNodes, "repository"> {
  if (releases === undefined) return {};
  const place = /^https?:\/\//u.test(releases) ? releases : at(releases);
  return { repository: { releases: place, releaseRoot: releaseRoot === undefined ? undefined : at(releaseRoot) } };
}

async function declarationOf(each: FleetClass, { fleet, at }: ReadFleet): Promise<Declaration> {
  const filesDir = each.filesDir === undefined ? undefined : at(each.filesDir);
  const classConfig = await readClassConfig(at(each.config), filesDir);
  const release = releaseOf(each, at);
  const trust = each.trust ?? fleet.trust;
  return { classConfig, ...(release && { release }), ...(trust && { trust: trustOf(trust, at) }) };
}

function releaseOf({ image, release, channel }: FleetClass, at: ReadFleet["at"]): DeclaredRelease | undefined {
  if (image !== undefined) return { image: at(image) };
  if (release !== undefined) return { version: release };
  return channel === undefined ? undefined : { channel };
}

function trustOf({ ekRoots, cloudRoots, acceptExpiredEk }: FleetTrust, at: ReadFleet["at"]): TrustSources {
  return {
    ekRoots: ekRoots === undefined ? undefined : at(ekRoots),
    cloudRoots: cloudRoots === undefined ? undefined : at(cloudRoots),
    acceptExpired: acceptExpiredEk,
  };
}

async function declaredNode(
  { name, url, class: className, nodeConfig }: FleetNode,
  classes: ReadonlyMap<string, Declaration>,
  at: ReadFleet["at"],
): Promise<DeclaredNode> {
  const declaration = classes.get(className);
  if (declaration === undefined) throw new TypeError("the file was checked: each node's class is there");
  return { name, url, ...declaration, nodeConfig: await readOwnConfig(nodeConfig, at) };
}

async function nodesOfSource(
  { kubeconfig, context, selector }: FleetCluster,
  { name, at }: ReadFleet,
  signal: AbortSignal,
): Promise<readonly KubeNode[]> {
  const { Cluster } = await import("@ashlar/kube");
  using cluster = await Cluster.open({ kubeconfig: kubeconfig === undefined ? undefined : at(kubeconfig), context });
  const found = await cluster.nodes(signal, selector);
  if (found.length > 0) return found;
  const which = selector === undefined ? "" : ` with ${selector}`;
  throw new AshlarError("not-found", `${name}: expected nodes${which} in the cluster, found none`);
}

async function nodeOfCluster(
  node: KubeNode,
  { class: named, nodeConfig }: FleetCluster,
  classes: ReadonlyMap<string, Declaration>,
  at: ReadFleet["at"],
): Promise<DeclaredNode> {
  const { name } = node;
  const { url, fault } = addressOf(node);
  const className = named ?? node.className;
  const declaration = className === undefined ? undefined : classes.get(className);
  if (fault !== undefined || declaration === undefined) {
    const [any] = classes.values();
    if (any === undefined) throw new TypeError("the file was checked: there is a class");
    const found = className === undefined ? "no label ashlar.node-restriction.kubernetes.io/class" : className;
    const noClass = `expected it to be of one of the classes ${[...classes.keys()].join(", ")}, found ${found}`;
    // Of no class, and not asked: what it would be judged by does not matter.
    return { name, url, ...any, nodeConfig: new Uint8Array(), fault: fault ?? noClass };
  }
  return { name, url, ...declaration, nodeConfig: await readOwnConfig(nodeConfig?.replaceAll("{name}", name), at) };
}

async function readOwnConfig(path: string | undefined, at: ReadFleet["at"]): Promise<Uint8Array> {
  if (path === undefined) return new Uint8Array();
  const { readNamedFile } = await import("@ashlar/host");
  return await readNamedFile(at(path), "a node's own Ignition file");
}
