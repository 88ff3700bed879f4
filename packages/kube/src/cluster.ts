import type { ClusterChoice } from "./access/find-access.ts";
import { findKubeconfig } from "./access/find-kubeconfig.ts";
import { readAccess } from "./access/kubeconfig.ts";
import { ApiClient } from "./client/api-client.ts";
import { listAll } from "./client/list-all.ts";
import { WatchedList, type Watching } from "./client/watched-list.ts";
import { ClusterMember } from "./cluster-member.ts";
import { readMarkedNode, type MarkedNode } from "./objects/read-marked-node.ts";
import type { ObjectReference } from "./objects/read-metadata.ts";
import { readNode, type KubeNode } from "./objects/read-node.ts";
import { readNodeClass, readNodeProof, type NodeClassObject, type NodeProofObject } from "./objects/read-resource.ts";
import { readRollout, type RolloutObject } from "./objects/read-rollout.ts";
import { serverVersion } from "./server-version.ts";
import type { RolloutSpec } from "./v1alpha1/rollout.ts";
import { API_VERSION } from "./v1alpha1/parts.ts";
import { readPod, type KubePod } from "./objects/read-pod.ts";

/** What one command can prove or update in a day. */
const MAX_NODES = 10_000;
const MAX_PODS = 100_000;

const ROLLOUTS = `/apis/${API_VERSION}/rollouts`;
/** Names who has changed what in managed fields. */
const PERSON = "ashlar-rollout";

type WatchOptions = Pick<Watching<unknown>, "onAway"> & {
  /** Only the one of this name. */
  readonly name?: string | undefined;
};

export type RolloutFacts = {
  readonly rollout: RolloutObject;
  readonly classes: readonly NodeClassObject[];
  readonly nodes: readonly MarkedNode[];
  readonly proofs: readonly NodeProofObject[];
};

/** A Kubernetes cluster behind its API server. */
export class Cluster implements Disposable {
  readonly #client: ApiClient;

  private constructor(client: ApiClient) {
    this.#client = client;
  }

  /**
   * Nothing is asked yet.
   *
   * @throws AshlarError `not-found`, `malformed`, `invalid`: see readAccess
   */
  static async open({ kubeconfig, context }: ClusterChoice): Promise<Cluster> {
    return new Cluster(new ApiClient(readAccess(await findKubeconfig(kubeconfig), context)));
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  /** By name; with a label selector only those that match it. */
  async nodes(signal: AbortSignal, labelSelector?: string): Promise<readonly KubeNode[]> {
    const query = labelSelector === undefined ? {} : { labelSelector };
    const asked = { path: "/api/v1/nodes", query, what: "the nodes of the cluster" };
    const { items } = await listAll(this.#client, asked, signal, MAX_NODES);
    const nodes = items.map((item) => readNode(item));
    return nodes.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  }

  /** Of all namespaces, those with a label, as NAME=VALUE. */
  async pods(labelSelector: string, signal: AbortSignal): Promise<readonly KubePod[]> {
    const asked = { path: "/api/v1/pods", query: { labelSelector }, what: `the pods with ${labelSelector}` };
    const { items } = await listAll(this.#client, asked, signal, MAX_PODS);
    return items.map((item) => readPod(item));
  }

  /** What was proved of nodes, as it changes, until the list is disposed of. */
  async watchNodeProofs(signal: AbortSignal, options: WatchOptions = {}): Promise<WatchedList<NodeProofObject>> {
    const { name, onAway } = options;
    const watching = {
      path: `/apis/${API_VERSION}/nodeproofs`,
      ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
      what: "the NodeProofs",
      read: readNodeProof,
      ...(onAway === undefined ? {} : { onAway }),
    };
    return await WatchedList.open(this.#client, watching, signal);
  }

  /** What nodes are declared to be, as it changes, until the list is disposed of. */
  async watchNodeClasses(signal: AbortSignal): Promise<WatchedList<NodeClassObject>> {
    const path = `/apis/${API_VERSION}/nodeclasses`;
    return await WatchedList.open(this.#client, { path, what: "the NodeClasses", read: readNodeClass }, signal);
  }

  /** A Rollout with all that decides who goes when. @throws AshlarError `not-found` */
  async rolloutFacts(name: string, signal: AbortSignal): Promise<RolloutFacts> {
    const own = `/apis/${API_VERSION}`;
    const list = async (path: string, what: string): Promise<readonly unknown[]> =>
      (await listAll(this.#client, { path, query: {}, what }, signal, MAX_NODES)).items;
    const path = `${own}/rollouts/${encodeURIComponent(name)}`;
    const rollout = readRollout(await this.#client.json({ method: "GET", path, what: `the Rollout ${name}` }, signal));
    const [classes, nodes, proofs] = await Promise.all([
      list(`${own}/nodeclasses`, "the NodeClasses"),
      list("/api/v1/nodes", "the nodes of the cluster"),
      list(`${own}/nodeproofs`, "the NodeProofs"),
    ]);
    return {
      rollout,
      classes: classes.map((each) => readNodeClass(each)),
      nodes: nodes.map((each) => readMarkedNode(each)),
      proofs: proofs.map((each) => readNodeProof(each)),
    };
  }

  /** See {@link serverVersion}. */
  async serverVersion(signal: AbortSignal): Promise<string> {
    return await serverVersion(this.#client, signal);
  }

  /** What is rolled to whom, as it changes, until the list is disposed of. */
  async watchRollouts(signal: AbortSignal, options: WatchOptions = {}): Promise<WatchedList<RolloutObject>> {
    const { name, onAway } = options;
    const watching = {
      path: ROLLOUTS,
      ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
      what: "the Rollouts",
      read: readRollout,
      ...(onAway === undefined ? {} : { onAway }),
    };
    return await WatchedList.open(this.#client, watching, signal);
  }

  async rollout(name: string, signal: AbortSignal): Promise<RolloutObject> {
    const path = `${ROLLOUTS}/${encodeURIComponent(name)}`;
    return readRollout(await this.#client.json({ method: "GET", path, what: `the Rollout ${name}` }, signal));
  }

  /** As it was seen: when somebody else has changed it meanwhile, that is a `conflict`. */
  async changeRollout(
    { name, resourceVersion }: ObjectReference,
    spec: Partial<RolloutSpec>,
    signal: AbortSignal,
  ): Promise<RolloutObject> {
    const path = `${ROLLOUTS}/${encodeURIComponent(name)}`;
    const body = { metadata: { resourceVersion }, spec };
    const contentType = "application/merge-patch+json";
    const query = { fieldManager: PERSON };
    const what = `the Rollout ${name}`;
    return readRollout(await this.#client.json({ method: "PATCH", path, query, body, contentType, what }, signal));
  }

  member(name: string): ClusterMember {
    return new ClusterMember(this.#client, name);
  }
}
