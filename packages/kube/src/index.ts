/** The one door to a Kubernetes API server. It says what it is told there; what to do with it is decided elsewhere. */
export { Cluster } from "./cluster.ts";
export { podNamespace } from "./access/find-access.ts";
export type { ClusterChoice } from "./access/find-access.ts";
export type { KubeNode } from "./objects/read-node.ts";
export type { KubePod } from "./objects/read-pod.ts";
export { customResourceDefinitions } from "./definitions/custom-resource-definition.ts";
export type { CustomResourceDefinition } from "./definitions/custom-resource-definition.ts";
export { definitionFiles } from "./definitions/definition-files.ts";
export type { StructuralSchema } from "./definitions/structural-schema.ts";
export { OperatedCluster } from "./operated-cluster.ts";
export type { ClusterEvent, OperatedMember, WatchedCluster } from "./operated-cluster.ts";
export type { MarkedNode, NodeMarks } from "./objects/read-marked-node.ts";
export type { NodeClassObject, NodeProofObject, SourceObject } from "./objects/read-resource.ts";
export type { RolloutObject } from "./objects/read-rollout.ts";
export { TAINT } from "./objects/taints.ts";
export type { OwnTaint, TaintEffect } from "./objects/taints.ts";
export { DEFAULT_FRESHNESS_SECONDS } from "./v1alpha1/node-class.ts";
export type { NodeClassSpec, NodeClassStatus } from "./v1alpha1/node-class.ts";
export {
  MAX_DIFFERENCES,
  MAX_PROVED_EXTENSIONS,
  MAX_TEXT_CHARACTERS,
  type NodeProofStatus,
  type ProofDifference,
  type ProvedExtension,
} from "./v1alpha1/node-proof.ts";
export { MAX_ROLLOUT_NODES } from "./v1alpha1/rollout.ts";
export type { Comparison, JobGate, PrometheusGate, RolloutGate, WebhookGate } from "./v1alpha1/rollout-gates.ts";
export type { RolloutNode, RolloutSpec, RolloutStatus } from "./v1alpha1/rollout.ts";
export type { NodeRollout } from "./v1alpha1/rollout-hooks.ts";
export type { Quarantine } from "./v1alpha1/quarantine.ts";
export type { Condition, KeyReference } from "./v1alpha1/parts.ts";
