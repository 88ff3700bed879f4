/**
 * Files and partitions with hash trees over them: makes trees, reads them, and finds the blocks and files that are not as
 * they were. Nodes, builders and repositories share it, so it needs no schema library.
 */
export { readBlocks, writeBlocksAt } from "./block-files.ts";
export { copyInto } from "./copy-into.ts";
export type { DamagedBlock, ImageProblem } from "./files/image-problem.ts";
export { compare } from "./files/image-problem.ts";
export { readImageFiles, verifyContent } from "./files/verify-content.ts";
export { verifyFileSystem } from "./files/verify-file-system.ts";
export {
  BATCH_BLOCKS,
  digestBatches,
  hashImage,
  imageTreeParameters,
  readExactly,
  readTree,
  rootHashOfTree,
} from "./image-tree.ts";
export type { ImageTree } from "./image-tree.ts";
export { openRegion, readRegion, readRegionSync, sectorSizeOf } from "./region.ts";
export type { Region } from "./region.ts";
export { uuidFor } from "./uuid-for.ts";
export { formatVerity } from "./verity/format-verity.ts";
export type { FormattedVerity, FormatVerityOptions } from "./verity/format-verity.ts";
export { verifyVerity } from "./verity/verify-verity.ts";
export type { VerifyVerityOptions, VerityProblem, VerityVerification } from "./verity/verify-verity.ts";
