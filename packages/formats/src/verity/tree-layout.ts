import { DIGEST_BYTES } from "./algorithm.ts";
import { checkVerityParameters, type VerityParameters } from "./superblock.ts";

/** Where the hash tree stands on the hash device. */
export type VerityLayout = {
  readonly digestBytes: number;
  /** Each digest is filled with zeros to the next power of two. */
  readonly digestSlotBytes: number;
  readonly hashesPerBlock: number;
  /**
   * From the digests of the data blocks up to the single block whose digest is the root hash; empty when there is only
   * one data block, whose digest then is the root hash.
   */
  readonly levels: readonly VerityLevel[];
  /** Superblock and tree. */
  readonly hashSizeBytes: number;
};

export type VerityLevel = { readonly blocks: number; readonly offsetBytes: number };

/**
 * The shape of the tree over some number of data blocks (kernel documentation "dm-verity", "Hash Tree"; cryptsetup's
 * "DMVerity" specification): the superblock has a hash block of its own, then come the levels from the root down.
 *
 * @throws AshlarError `invalid` when a parameter is out of its range
 */
export function verityLayout(parameters: VerityParameters): VerityLayout {
  checkVerityParameters(parameters);
  const { algorithm, dataBlocks, hashBlockSizeBytes } = parameters;
  const digestBytes = DIGEST_BYTES[algorithm];
  const digestSlotBytes = 2 ** Math.ceil(Math.log2(digestBytes));
  const hashesPerBlock = hashBlockSizeBytes / digestSlotBytes;

  const blocksPerLevel: number[] = [];
  for (let blocks = dataBlocks; blocks > 1;) {
    blocks = Math.ceil(blocks / hashesPerBlock);
    blocksPerLevel.push(blocks);
  }
  const levels: VerityLevel[] = [];
  let offsetBytes = hashBlockSizeBytes;
  for (const blocks of blocksPerLevel.toReversed()) {
    levels.unshift({ blocks, offsetBytes });
    offsetBytes += blocks * hashBlockSizeBytes;
  }
  return { digestBytes, digestSlotBytes, hashesPerBlock, levels, hashSizeBytes: offsetBytes };
}
