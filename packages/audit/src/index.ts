/**
 * What nodes of any distribution consist of, and how they differ. `snapshot`, `rules` and `compare` are pure; `collect` runs the
 * collector. It asks the nodes, and so proves nothing.
 */
export { clusterNodes, collectKubernetes } from "./collect/collect-kubernetes.ts";
export type { ClusterOptions } from "./collect/collect-kubernetes.ts";
export { collectRoot } from "./collect/collect-root.ts";
export { collectSsh } from "./collect/collect-ssh.ts";
export { snapshotOf } from "./collected/arrange.ts";
export { changesSince } from "./compare/changes-since.ts";
export { compareNodes } from "./compare/compare-nodes.ts";
export { NodeTable } from "./compare/node-table.ts";
export { CAUSES } from "./compare/report.ts";
export type { Cause, Causes, Comparison, FileDifference, FileForm, Group } from "./compare/report.ts";
export { KNOWN_NOISE } from "./rules/known-noise.ts";
export type { NoiseRule } from "./rules/noise-rule.ts";
export { parseRules } from "./rules/parse-rules.ts";
export { MAX_SNAPSHOT_BYTES } from "./snapshot/snapshot.ts";
export { SnapshotReader } from "./snapshot/snapshot-reader.ts";
export type { Snapshot } from "./snapshot/snapshot.ts";
export { classFile, filesToCopy } from "./suggest/class-file.ts";
export { suggestClass } from "./suggest/suggest-class.ts";
export type { SuggestedClass } from "./suggest/suggest-class.ts";
