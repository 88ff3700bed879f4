/**
 * What people see of nodes. The documents are what `ashlar console` serves as JSON; the functions say what they mean by the
 * reader's own clock. Pure, and of other packages it takes types only, so that it runs in browsers as it is.
 */
export { formatAge, isFresh, levelNow } from "./age.ts";
export { chainOf, linkOf } from "./chain.ts";
export type { ChainLink, LinkName, LinkState } from "./chain.ts";
export { checkCommands } from "./check-commands.ts";
export { compareNodes } from "./compare-nodes.ts";
export type { ComparedRow } from "./compare-nodes.ts";
export { FLEET_VIEW_SCHEMA, NODE_VIEW_SCHEMA, summaryOfNode } from "./documents.ts";
export type { EvidenceFile, FleetView, Measured, NodeSummary, NodeView, SourceKind, ViewHead } from "./documents.ts";
export { filterNodes } from "./filter-nodes.ts";
export type { ShownNode } from "./filter-nodes.ts";
export { GROUPINGS, groupNodes, LEVELS_WORST_FIRST } from "./group-nodes.ts";
export type { Level, NamedVerdict, NodeVerdict } from "@ashlar/identity";
export type { Grouping, NodeGroup } from "./group-nodes.ts";
export { headlineOf, plural } from "./headline.ts";
export { linkValues } from "./link-values.ts";
export { ROLLOUTS_SCHEMA, rolloutTone } from "./rollout-documents.ts";
export type { RolloutNodeView, RolloutsView, RolloutTone, RolloutView, RolloutWaveView } from "./rollout-documents.ts";
export { showProofs } from "./show-proofs.ts";
export type { ProofAges, ShownProof } from "./show-proofs.ts";
export { verdictOfProof } from "./verdict-of-proof.ts";
export type { Proof } from "./verdict-of-proof.ts";
export { LINK_WORDS, shortened, STATE_WORDS } from "./words.ts";
