import { hash } from "node:crypto";
import { type BlockHasher, createBlockHasher } from "./block-hasher.ts";
import type { VerityParameters } from "./superblock.ts";
import { verityLayout } from "./tree-layout.ts";

export type UpperLevels = {
  /** The levels above the lowest, in the order of {@link VerityLayout.levels}, each whole hash blocks. */
  readonly levels: readonly Uint8Array[];
  readonly rootHash: Uint8Array;
};

/**
 * The rest of a hash tree, from the digests of the lowest level's hash blocks (one per slot) or, for a tree without
 * levels, from the digest of the only data block.
 */
export function upperVerityLevels(parameters: VerityParameters, lowestDigests: Uint8Array): UpperLevels {
  const layout = verityLayout(parameters);
  const { hashBlockSizeBytes } = parameters;
  const hasher = hashBlockHasher(parameters, layout.digestSlotBytes);
  const levels: Uint8Array[] = [];
  let digests = lowestDigests;
  for (const { blocks } of layout.levels.slice(1)) {
    const level = new Uint8Array(blocks * hashBlockSizeBytes);
    level.set(digests);
    levels.push(level);
    digests = digestsOf(hasher, level, layout.digestSlotBytes);
  }
  return { levels, rootHash: digests.slice(0, layout.digestBytes) };
}

/** The digests of whole hash blocks, one per slot. */
export function hashBlockDigests(parameters: VerityParameters, blocks: Uint8Array): Uint8Array {
  const { digestSlotBytes } = verityLayout(parameters);
  return digestsOf(hashBlockHasher(parameters, digestSlotBytes), blocks, digestSlotBytes);
}

function hashBlockHasher(parameters: VerityParameters, digestSlotBytes: number): BlockHasher {
  const { algorithm, salt, hashBlockSizeBytes } = parameters;
  return createBlockHasher(hash, { algorithm, salt, digestSlotBytes, blockSizeBytes: hashBlockSizeBytes, capacity: 1 });
}

function digestsOf(hasher: BlockHasher, blocks: Uint8Array, digestSlotBytes: number): Uint8Array {
  const [slot] = hasher.blocks;
  if (slot === undefined) throw new RangeError("a hasher without room for a block");
  const digests = Buffer.alloc((blocks.length / slot.length) * digestSlotBytes);
  for (let index = 0; index * slot.length < blocks.length; index++) {
    slot.set(blocks.subarray(index * slot.length, (index + 1) * slot.length));
    hasher.digest(1, digests, index * digestSlotBytes);
  }
  return digests;
}
