/** What nodes were declared to be, which releases and extensions are known, and what was remembered of orders. */
export { nodesAtUrls, readNodeConfig, userPinsPath } from "./declared-nodes.ts";
export type { DeclaredNode, DeclaredNodes, DeclaredRelease } from "./declared-nodes.ts";
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
export { extensionsOf, readExtensionManifests, readExtensions } from "./known-extensions.ts";
export { KnownReleases } from "./known-releases.ts";
export type { Known } from "./read-known.ts";
export { readPublishedManifests } from "./published-manifests.ts";
export { readManifestText } from "./read-release.ts";
export {
  allowedVersions,
  beginTurn,
  endTurn,
  readUpdateRecord,
  updateRecordJsonSchema,
  updateRecordPath,
} from "./update-record.ts";
export type { Turn, UpdateRecord } from "./update-record.ts";
export { declaredRelease, readKnown, rightReleases } from "./read-known.ts";
export type { RepositoryPlace } from "./release-repository.ts";
