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
export { GROUPINGS, groupNodes, LEVELS_WORST_FIRST } from "./group-nodes.ts";
export type { Level, NodeVerdict } from "@ashlar/identity";
export type { Grouping, NodeGroup } from "./group-nodes.ts";
