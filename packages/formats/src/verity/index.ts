/** dm-verity alone: what hashes whole images starts without the other formats. */
export type { VerityAlgorithm } from "./algorithm.ts";
export { createBlockHasher } from "./block-hasher.ts";
export { parseVeritySuperblock, SUPERBLOCK_BYTES, writeVeritySuperblock } from "./superblock.ts";
export type { VerityParameters, VeritySuperblock } from "./superblock.ts";
export { verityLayout } from "./tree-layout.ts";
export type { VerityLayout } from "./tree-layout.ts";
export { hashBlockDigests, upperVerityLevels } from "./upper-levels.ts";
