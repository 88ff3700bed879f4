import { hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { type BlockHasher, createBlockHasher, hashBlockDigests, type VerityParameters } from "@ashlar/formats";
import { BATCH_BLOCKS } from "@ashlar/volumes";
import { BLOCK_BYTES, type BlocksIndex, blocksOfLeaf, DIGEST_BYTES, leafOfBlock } from "@ashlar/repository-index";

const WORDS_PER_DIGEST: number = DIGEST_BYTES / Uint32Array.BYTES_PER_ELEMENT;

/**
 * An image that is being put together in a file, and what is known of it. A block that is present has the digest that
 * stands for it in `leaves`; that these digests are the right ones is known as soon as their leaf is settled.
 */
export class ImageAssembly {
  readonly file: FileHandle;
  readonly index: BlocksIndex;
  readonly parameters: VerityParameters;
  /** 1 for blocks that are in the file. */
  readonly isPresent: Uint8Array;
  /** The hash tree's lowest level, as far as it is known. */
  readonly leaves: Buffer<ArrayBuffer>;
  readonly #leafWords: Uint32Array;
  /** 1 for leaves whose digests are the right ones. */
  readonly #isTrueLeaf: Uint8Array;

  constructor(file: FileHandle, index: BlocksIndex, parameters: VerityParameters) {
    this.file = file;
    this.index = index;
    this.parameters = parameters;
    this.isPresent = new Uint8Array(index.dataBlocks);
    this.leaves = Buffer.from(new ArrayBuffer(index.leaves * BLOCK_BYTES));
    this.#leafWords = new Uint32Array(this.leaves.buffer);
    this.#isTrueLeaf = new Uint8Array(index.leaves);
  }

  get missingBlocks(): number {
    return this.isPresent.reduce((missing, present) => missing - present, this.index.dataBlocks);
  }

  createHasher(): BlockHasher {
    const { algorithm, salt } = this.parameters;
    return createBlockHasher(hash, {
      algorithm,
      salt,
      blockSizeBytes: BLOCK_BYTES,
      digestSlotBytes: DIGEST_BYTES,
      capacity: BATCH_BLOCKS,
    });
  }

  /**
   * Takes note of a block with this digest, which is in the file or about to be, if it can be the wanted one. Without its
   * leaf only a few bits of it are known; a wrong one shows when its leaf is settled.
   */
  accept(block: number, digest: Uint8Array): boolean {
    const offset = block * DIGEST_BYTES;
    if (this.#isTrueLeaf[leafOfBlock(block)] === 1) {
      if (this.leaves.compare(digest, 0, DIGEST_BYTES, offset, offset + DIGEST_BYTES) !== 0) return false;
    } else {
      this.leaves.set(digest, offset);
      if (this.#leafWords[offset / Uint32Array.BYTES_PER_ELEMENT] !== this.index.prefixes[block]) return false;
    }
    this.isPresent[block] = 1;
    return true;
  }

  /** The same for blocks that stand one after the other. Gives how many of them can be the wanted ones. */
  acceptRun(first: number, digests: Uint8Array): number {
    const count = digests.length / DIGEST_BYTES;
    let accepted = 0;
    if (this.#isTrueLeaf.subarray(leafOfBlock(first), leafOfBlock(first + count - 1) + 1).includes(1)) {
      for (let index = 0; index < count; index++) {
        const digest = digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
        if (this.accept(first + index, digest)) accepted += 1;
      }
      return accepted;
    }
    this.leaves.set(digests, first * DIGEST_BYTES);
    // A few steps for each block: here JavaScript is interpreted.
    for (let block = first; block < first + count; block++) {
      if (this.#leafWords[block * WORDS_PER_DIGEST] !== this.index.prefixes[block]) continue;
      this.isPresent[block] = 1;
      accepted += 1;
    }
    return accepted;
  }

  /** Leaves with all their blocks present that do not hash to what the root hash says. */
  findMisledLeaves(): readonly number[] {
    const digests = hashBlockDigests(this.parameters, this.leaves);
    const misled: number[] = [];
    for (let leaf = 0; leaf < this.index.leaves; leaf++) {
      const { first, end } = blocksOfLeaf(this.index.dataBlocks, leaf);
      if (this.#isTrueLeaf[leaf] === 1 || this.isPresent.subarray(first, end).includes(0)) continue;
      if (isDigestOf(this.index.leafDigests, leaf, digests.subarray(leaf * DIGEST_BYTES))) this.#isTrueLeaf[leaf] = 1;
      else misled.push(leaf);
    }
    return misled;
  }

  /** Puts a leaf in as it was published: blocks with other digests are missing again. False: it is another one. */
  correctLeaf(leaf: number, bytes: Uint8Array): boolean {
    if (!isDigestOf(this.index.leafDigests, leaf, hashBlockDigests(this.parameters, bytes))) return false;
    const { first, end } = blocksOfLeaf(this.index.dataBlocks, leaf);
    for (let block = first; block < end; block++) {
      const [start, stop] = [(block - first) * DIGEST_BYTES, (block - first + 1) * DIGEST_BYTES];
      if (this.leaves.compare(bytes, start, stop, block * DIGEST_BYTES, (block + 1) * DIGEST_BYTES) !== 0) {
        this.isPresent[block] = 0;
      }
    }
    this.leaves.set(bytes, leaf * BLOCK_BYTES);
    this.#isTrueLeaf[leaf] = 1;
    return true;
  }
}

function isDigestOf(digests: Uint8Array, position: number, found: Uint8Array): boolean {
  const start = position * DIGEST_BYTES;
  return Buffer.compare(digests.subarray(start, start + DIGEST_BYTES), found.subarray(0, DIGEST_BYTES)) === 0;
}
