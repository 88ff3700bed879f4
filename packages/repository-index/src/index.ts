/**
 * The signed index of a release repository, as values: what is published, which version a node should take, where the
 * blocks of an image are. Pure.
 */
export {
  BLOCK_BYTES,
  CELL_BYTES,
  DIGEST_BYTES,
  MAX_DATA_BLOCKS,
  MAX_STORED_BYTES,
  blocksLayout,
  blocksOfLeaf,
  blocksOfSegment,
  leafOfBlock,
  leavesOf,
  parseBlocksIndex,
  writeBlocksIndex,
} from "./blocks/blocks-layout.ts";
export type { BlocksIndex, BlocksLayout } from "./blocks/blocks-layout.ts";
export { findCopies } from "./blocks/find-copies.ts";
export type { CopyRun } from "./blocks/find-copies.ts";
export { isSegmentMissing, planRanges } from "./blocks/plan-ranges.ts";
export type { SegmentRange } from "./blocks/plan-ranges.ts";
export { planSegments } from "./blocks/plan-segments.ts";
export type { CellRun } from "./blocks/plan-segments.ts";
export { COMPRESSION_LEVEL, decodeSegment, encodeSegment } from "./blocks/segment.ts";
export { chooseExtension } from "./choose/choose-extension.ts";
export { chooseRelease } from "./choose/choose-release.ts";
export {
  addExtension,
  extensionVersions,
  findExtension,
  keepNewestExtensions,
  sortedExtensions,
  withdrawExtension,
} from "./model/edit-extensions.ts";
export {
  EMPTY_INDEX,
  addRelease,
  keepNewest,
  nextChannel,
  offeredReleases,
  pointChannel,
  sortedReleases,
  withdrawRelease,
} from "./model/edit-index.ts";
export { EXTENSION_FILE_KINDS, extensionDirectory, extensionFileNames } from "./model/extension-entry.ts";
export type { ExtensionEntry, ExtensionFileKind } from "./model/extension-entry.ts";
export { RELEASE_FILE_KINDS, releaseFileNames } from "./model/file-names.ts";
export type { ReleaseFileKind } from "./model/file-names.ts";
export { MAX_REASON_CHARACTERS } from "./model/index-fields.ts";
export type { PublishedFile, SignedTargets } from "./model/index-fields.ts";
export { parseSummary } from "./model/parse-summary.ts";
export { summaryOf } from "./model/release-summary.ts";
export type { ReleaseSummary } from "./model/release-summary.ts";
export {
  INDEX_FIELD,
  INDEX_SCHEMA,
  MAX_TARGETS_BYTES,
  checkChannelName,
  findRelease,
  parseIndex,
} from "./model/repository-index.ts";
export type { ReleaseEntry, RepositoryIndex } from "./model/repository-index.ts";
export { MAX_ROOTS, MAX_ROOT_BYTES } from "./model/root-limits.ts";
export type { ExtensionWish } from "./choose/choose-extension.ts";
export type { ReleaseWish } from "./choose/choose-release.ts";
export type { ExtensionIndex } from "./model/extension-entry.ts";
export type { Withdrawal } from "./model/index-fields.ts";
export type { Channel } from "./model/repository-index.ts";
