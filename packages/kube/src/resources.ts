/** Ashlar's own kinds as values, for programs that get them from somebody else: nothing here speaks to an API server. */
export { readNodeClass, readNodeProof } from "./objects/read-resource.ts";
export { DEFAULT_FRESHNESS_SECONDS } from "./v1alpha1/node-class.ts";
export type { NodeProofStatus } from "./v1alpha1/node-proof.ts";
export { GROUP, VERSION } from "./v1alpha1/parts.ts";
