/**
 * Files and partitions with hash trees over them: makes trees, reads them, and finds the blocks and files that are not as
 * they were. Nodes, builders and repositories share it, so it needs no schema library.
 */
export { copyInto } from "./copy-into.ts";
export { findDamagedFiles } from "./files/damaged-files.ts";
export type { DamagedBlock, ImageProblem } from "./files/image-problem.ts";
export { compare } from "./files/image-problem.ts";
export { readImageFiles, verifyContent } from "./files/verify-content.ts";
export { verifyFileSystem } from "./files/verify-file-system.ts";
export { openRegion, readRegion, readRegionSync, sectorSizeOf } from "./region.ts";
export type { OpenRegion, Region } from "./region.ts";
export { readBlocks, writeBlocksAt } from "./tree/block-files.ts";
export { BATCH_BLOCKS, digestBatches } from "./tree/digest-batches.ts";
export { findBadBlocks } from "./tree/find-bad-blocks.ts";
export type { BadBlocks } from "./tree/find-bad-blocks.ts";
export { hashImage, imageTreeParameters, readTree, rootHashOfTree } from "./tree/image-tree.ts";
export type { ImageTree } from "./tree/image-tree.ts";
export { openTree, readLowestLevel } from "./tree/open-tree.ts";
export { readWholeTree } from "./tree/whole-tree.ts";
export type { WholeTree } from "./tree/whole-tree.ts";
export { uuidFor } from "./uuid-for.ts";
export { formatVerity } from "./verity/format-verity.ts";
export type { FormattedVerity, FormatVerityOptions } from "./verity/format-verity.ts";
export { verifyVerity } from "./verity/verify-verity.ts";
export type { VerifyVerityOptions, VerityProblem, VerityVerification } from "./verity/verify-verity.ts";
