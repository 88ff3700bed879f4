/** The one door to a Kubernetes API server. It says what it is told there; what to do with it is decided elsewhere. */
export { Cluster } from "./cluster.ts";
export type { ClusterChoice } from "./cluster.ts";
export type { KubeNode } from "./objects/read-node.ts";
export type { KubePod } from "./objects/read-pod.ts";
export { customResourceDefinitions } from "./definitions/custom-resource-definition.ts";
export type { CustomResourceDefinition } from "./definitions/custom-resource-definition.ts";
export { definitionFiles } from "./definitions/definition-files.ts";
export type { StructuralSchema } from "./definitions/structural-schema.ts";
