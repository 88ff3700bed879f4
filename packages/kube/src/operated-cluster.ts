import type { RebootLabels } from "@ashlar/rollout";
import { findAccess, type ClusterChoice } from "./access/find-access.ts";
import { ApiClient } from "./client/api-client.ts";
import { changeNode, nodePath } from "./client/change-node.ts";
import { whileHolding } from "./client/lease.ts";
import { WatchedList, type Watching } from "./client/watched-list.ts";
import type { ClusterAccess } from "./access/kubeconfig.ts";
import { ClusterMember } from "./cluster-member.ts";
import { runGateJob, type GateJob, type GateJobState } from "./gate-job.ts";
import {
  CONDITION,
  IDENTITY_ANNOTATION,
  readMarkedNode,
  RELEASE_LABEL,
  type MarkedNode,
  type NodeMarks,
} from "./objects/read-marked-node.ts";
import {
  readConfigMap,
  readNodeClass,
  readNodeProof,
  readSecret,
  type NodeClassObject,
  type NodeProofObject,
  type SourceObject,
} from "./objects/read-resource.ts";
import type { ObjectReference } from "./objects/read-metadata.ts";
import { readRollout, type RolloutObject } from "./objects/read-rollout.ts";
import { serverVersion } from "./server-version.ts";
import { readTaintedNode, withOwnTaints, type TaintEffect } from "./objects/taints.ts";
import type { NodeClassStatus } from "./v1alpha1/node-class.ts";
import type { NodeProofStatus } from "./v1alpha1/node-proof.ts";
import type { RolloutStatus } from "./v1alpha1/rollout.ts";
import { API_VERSION } from "./v1alpha1/parts.ts";

const OWN = `/apis/${API_VERSION}`;
/** Names who has written what in managed fields, and who says what in events. */
const WRITER = "ashlar-operator";

/** Everything that is watched, as it is now. */
export type WatchedCluster = {
  readonly classes: WatchedList<NodeClassObject>;
  readonly proofs: WatchedList<NodeProofObject>;
  readonly rollouts: WatchedList<RolloutObject>;
  readonly nodes: WatchedList<MarkedNode>;
  readonly secrets: WatchedList<SourceObject>;
  readonly configMaps: WatchedList<SourceObject>;
};

export type ClusterEvent = {
  readonly about: Pick<ObjectReference, "name" | "uid"> & { readonly kind: "Node" | "NodeClass" | "Rollout" };
  readonly isWarning: boolean;
  readonly reason: string;
  readonly note: string;
};

/** A node as a rollout deals with it, on connections of its own: watching pods must not keep others from writing. */
export type OperatedMember = { readonly member: ClusterMember } & Disposable;

/** What the operator may see and change: statuses, what stands on Nodes for people, and for a rollout cordons and evictions. */
export class OperatedCluster implements Disposable {
  readonly #access: ClusterAccess;
  readonly #client: ApiClient;
  /** Each watch keeps a connection. */
  readonly #watchClient: ApiClient;
  /** Of its own connections: renewing never waits behind other requests. */
  readonly #leaseClient: ApiClient;
  readonly #namespace: string;
  readonly #holder: string;

  private constructor(access: ClusterAccess, namespace: string, holder: string) {
    this.#access = access;
    this.#client = new ApiClient(access);
    this.#watchClient = new ApiClient(access);
    this.#leaseClient = new ApiClient(access);
    this.#namespace = namespace;
    this.#holder = holder;
  }

  /** @param holder names this process among the replicas */
  static async open(choice: ClusterChoice, namespace: string, holder: string): Promise<OperatedCluster> {
    const access = await findAccess(choice);
    return new OperatedCluster(access, namespace, holder);
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
    this.#watchClient[Symbol.dispose]();
    this.#leaseClient[Symbol.dispose]();
  }

  /** See {@link whileHolding}. */
  async whileLeading(
    work: (signal: AbortSignal) => Promise<void>,
    options: { readonly signal: AbortSignal; readonly onWait: (holder: string) => void },
  ): Promise<boolean> {
    const claim = { namespace: this.#namespace, name: WRITER, holder: this.#holder };
    return await whileHolding(this.#leaseClient, claim, work, options);
  }

  async watch(signal: AbortSignal): Promise<WatchedCluster> {
    const of = `/api/v1/namespaces/${encodeURIComponent(this.#namespace)}`;
    const list = async <Item>(watching: Watching<Item>): Promise<WatchedList<Item>> =>
      await WatchedList.open(this.#watchClient, watching, signal);
    const [classes, proofs, rollouts, nodes, secrets, configMaps] = await Promise.all([
      list({ path: `${OWN}/nodeclasses`, what: "the NodeClasses", read: readNodeClass }),
      list({ path: `${OWN}/nodeproofs`, what: "the NodeProofs", read: readNodeProof }),
      list({ path: `${OWN}/rollouts`, what: "the Rollouts", read: readRollout }),
      list({ path: "/api/v1/nodes", what: "the nodes of the cluster", read: readMarkedNode }),
      list({ path: `${of}/secrets`, what: `the Secrets of ${this.#namespace}`, read: readSecret }),
      list({ path: `${of}/configmaps`, what: `the ConfigMaps of ${this.#namespace}`, read: readConfigMap }),
    ]);
    return { classes, proofs, rollouts, nodes, secrets, configMaps };
  }

  /** See {@link serverVersion}. */
  async serverVersion(signal: AbortSignal): Promise<string> {
    return await serverVersion(this.#client, signal);
  }

  async createProof(name: string, signal: AbortSignal): Promise<NodeProofObject> {
    const body = { apiVersion: API_VERSION, kind: "NodeProof", metadata: { name } };
    return readNodeProof(await this.#write("POST", `${OWN}/nodeproofs`, body, `the NodeProof ${name}`, signal));
  }

  /** As it was seen: when somebody else has changed it meanwhile, that is a `conflict`. */
  async writeProof(
    { name, resourceVersion }: ObjectReference,
    status: NodeProofStatus,
    signal: AbortSignal,
  ): Promise<NodeProofObject> {
    const body = { apiVersion: API_VERSION, kind: "NodeProof", metadata: { name, resourceVersion }, status };
    const path = `${OWN}/nodeproofs/${encodeURIComponent(name)}/status`;
    return readNodeProof(await this.#write("PUT", path, body, `the NodeProof ${name}`, signal));
  }

  async writeClass(
    { name, resourceVersion }: ObjectReference,
    status: NodeClassStatus,
    signal: AbortSignal,
  ): Promise<void> {
    const body = { metadata: { resourceVersion }, status };
    const path = `${OWN}/nodeclasses/${encodeURIComponent(name)}/status`;
    await this.#write("PATCH", path, body, `the NodeClass ${name}`, signal);
  }

  /** As it was seen: when somebody else has changed it meanwhile, that is a `conflict`. */
  async writeRollout(
    { name, resourceVersion }: ObjectReference,
    status: RolloutStatus,
    signal: AbortSignal,
  ): Promise<RolloutObject> {
    // A merge patch leaves what is not named.
    const absent = { phase: null, wave: null, message: null, attempt: null, halt: null, total: null, done: null };
    const body = { metadata: { resourceVersion }, status: { ...absent, ...status } };
    const path = `${OWN}/rollouts/${encodeURIComponent(name)}/status`;
    return readRollout(await this.#write("PATCH", path, body, `the status of the Rollout ${name}`, signal));
  }

  /** What keeps a deleted Rollout until its nodes have come home. */
  async writeFinalizers(
    { name, resourceVersion }: ObjectReference,
    finalizers: readonly string[],
    signal: AbortSignal,
  ): Promise<RolloutObject> {
    const body = { metadata: { resourceVersion, finalizers } };
    const path = `${OWN}/rollouts/${encodeURIComponent(name)}`;
    return readRollout(await this.#write("PATCH", path, body, `the Rollout ${name}`, signal));
  }

  async runJob(job: GateJob, signal: AbortSignal): Promise<GateJobState> {
    return await runGateJob(this.#client, job, signal);
  }

  openMember(name: string, labels?: RebootLabels): OperatedMember {
    const client = new ApiClient(this.#access);
    return { member: new ClusterMember(client, name, labels), [Symbol.dispose]: () => client[Symbol.dispose]() };
  }

  /** By way of the Node's status: whoever may write that, and nothing else of Nodes, can neither cordon nor taint. */
  async mark(node: MarkedNode, { condition, release, identity }: NodeMarks, signal: AbortSignal): Promise<void> {
    const now = new Date().toISOString();
    const isNew = node.marks.condition?.status !== condition.status;
    const since = isNew ? now : (node.markedSince ?? now);
    const own = { type: CONDITION, ...condition, lastHeartbeatTime: now, lastTransitionTime: since };
    const body = {
      metadata: {
        labels: { [RELEASE_LABEL]: release ?? null },
        annotations: { [IDENTITY_ANNOTATION]: identity ?? null },
      },
      status: { conditions: [own] },
    };
    const path = `${nodePath(node.name)}/status`;
    const contentType = "application/strategic-merge-patch+json";
    const query = { fieldManager: WRITER };
    const what = `the status of the Node ${node.name}`;
    await this.#client.json({ method: "PATCH", path, query, body, contentType, what }, signal);
  }

  /** Gives a Node those of our taints that are meant, and no others of ours. Those of others stay as they are. */
  async taint({ name, uid }: ObjectReference, effects: readonly TaintEffect[], signal: AbortSignal): Promise<void> {
    const changing = {
      name,
      what: "the taints",
      fieldManager: WRITER,
      read: readTaintedNode,
      decide: (found: ReturnType<typeof readTaintedNode>) => {
        const taints = withOwnTaints(found.taints, effects, new Date().toISOString());
        // Another Node may have got its name since.
        return found.uid !== uid || taints === undefined ? undefined : { spec: { taints } };
      },
    };
    await changeNode(this.#client, changing, signal);
  }

  /** An Event (events.k8s.io/v1). */
  async report({ about, isWarning, reason, note }: ClusterEvent, signal: AbortSignal): Promise<void> {
    const { kind, name, uid } = about;
    const isNode = kind === "Node";
    const action = { Node: "Prove", NodeClass: "Declare", Rollout: "Roll" }[kind];
    const related = { apiVersion: API_VERSION, kind: "NodeProof", name };
    const body = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { generateName: eventPrefix(name), namespace: "default" },
      eventTime: `${new Date().toISOString().slice(0, -1)}000Z`,
      reportingController: "ashlar.dev/operator",
      reportingInstance: this.#holder.slice(0, MAX_NAME_CHARACTERS),
      action,
      reason: reason.slice(0, MAX_NAME_CHARACTERS),
      note: note.slice(0, MAX_NOTE_CHARACTERS),
      type: isWarning ? "Warning" : "Normal",
      regarding: { apiVersion: isNode ? "v1" : API_VERSION, kind, name, uid },
      ...(isNode ? { related } : {}),
    };
    await this.#write("POST", "/apis/events.k8s.io/v1/namespaces/default/events", body, "an Event", signal);
  }

  async #write(
    method: "POST" | "PUT" | "PATCH",
    path: string,
    body: object,
    what: string,
    signal: AbortSignal,
  ): Promise<unknown> {
    const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const query = { fieldManager: WRITER };
    return await this.#client.json({ method, path, query, body, contentType, what }, signal);
  }
}

/** Limits of events.k8s.io/v1. */
const MAX_NAME_CHARACTERS = 128;
const MAX_NOTE_CHARACTERS = 1000;

const MAX_PREFIX_CHARACTERS = 50;

/** The beginning of an Event's name: the server takes no more of it, and adds letters. */
function eventPrefix(name: string): string {
  return `${name.slice(0, MAX_PREFIX_CHARACTERS).replace(/[^a-z0-9]+$/u, "")}-`;
}
