export { AgentClient } from "./agent-client.ts";
export type { AgentClientOptions, Order } from "./agent-client.ts";
export {
  allowDebugging,
  beginComponentTurn,
  endComponentTurn,
  endDebugging,
  extensionRecordJsonSchema,
  extensionRecordPath,
  readExtensionRecord,
  rightOfNode,
} from "./extension-record.ts";
export type { ComponentTurn, ExtensionRecord } from "./extension-record.ts";
export { readPins } from "./pin-store.ts";
export type { Pin } from "./pin-store.ts";
export { proveNodes } from "./prove-nodes.ts";
export type { FleetProof, NodeTarget, ProveNodesOptions, ProveOptions } from "./prove-nodes.ts";
export { proveStored } from "./prove-stored.ts";
export type { ProveStoredOptions } from "./prove-stored.ts";
export type { StoredAnswer } from "./stored/answer.ts";
export { readStoredFleet } from "./stored/read-fleet.ts";
export type { FoundFleet, StoredFleet } from "./stored/read-fleet.ts";
export { writeStoredAnswer } from "./stored/write-answer.ts";
export { writeStoredFleet } from "./stored/write-fleet.ts";
export {
  allowedVersions,
  beginTurn,
  endTurn,
  keepRelease,
  readKeptReleases,
  readUpdateRecord,
  updateRecordJsonSchema,
  updateRecordPath,
} from "./update-record.ts";
export type { Turn, UpdateRecord } from "./update-record.ts";
