import type { hash } from "node:crypto";
import type { VerityAlgorithm } from "./algorithm.ts";

/** Hashes many blocks of one size without allocating per block. */
export type BlockHasher = {
  /** Where the caller puts the blocks: `capacity` views of `blockSizeBytes` each, with the salt standing before each. */
  readonly blocks: readonly Uint8Array[];
  /** Writes the digests of the first `count` blocks to `target`, one per slot filled with zeros, from `offset` on. */
  readonly digest: (count: number, target: Buffer, offset: number) => void;
};

export type BlockHasherOptions = {
  readonly algorithm: VerityAlgorithm;
  readonly salt: Uint8Array;
  readonly blockSizeBytes: number;
  readonly digestSlotBytes: number;
  readonly capacity: number;
};

/**
 * Makes a {@link BlockHasher}. Worker threads get this function as source text: it uses nothing but its arguments.
 *
 * A block is hashed in one call, salt included, by leaving room for the salt before each; a digest comes as a Latin-1
 * string, which Node.js makes faster than a Buffer, and all of them are written at once. Together that is a quarter faster
 * than a Hash object per block.
 */
export function createBlockHasher(hashOnce: typeof hash, options: BlockHasherOptions): BlockHasher {
  const { algorithm, salt, blockSizeBytes, digestSlotBytes, capacity } = options;
  const stride = salt.length + blockSizeBytes;
  const memory = Buffer.alloc(stride * capacity);
  const salted: Uint8Array[] = [];
  const blocks: Uint8Array[] = [];
  for (let start = 0; start < memory.length; start += stride) {
    memory.set(salt, start);
    salted.push(memory.subarray(start, start + stride));
    blocks.push(memory.subarray(start + salt.length, start + stride));
  }
  const digest = (count: number, target: Buffer, offset: number): void => {
    let digests = "";
    for (let index = 0; index < count; index++) {
      const block = salted[index];
      if (block === undefined) throw new RangeError(`${count} blocks are more than ${capacity}`);
      digests += hashOnce(algorithm, block, "latin1").padEnd(digestSlotBytes, "\0");
    }
    target.write(digests, offset, "latin1");
  };
  return { blocks, digest };
}
