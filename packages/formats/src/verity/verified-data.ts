import { hash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import type { ReadBytes } from "../erofs/image.ts";
import { type BlockHasher, createBlockHasher } from "./block-hasher.ts";
import type { VerityParameters } from "./superblock.ts";
import { type VerityLayout, verityLayout } from "./tree-layout.ts";
import { hashBlockDigests } from "./upper-levels.ts";

export type VerifiedDataOptions = {
  readonly parameters: VerityParameters;
  /** In hexadecimal digits. */
  readonly rootHash: string;
  readonly readTree: ReadBytes;
  readonly readData: ReadBytes;
};

/** Metadata is read in small pieces, many of one block: 1 MiB of blocks of 4 KiB. */
const KEPT_BLOCKS = 256;
const PASS_BLOCKS = 64;

/**
 * Data under a root hash, read as dm-verity reads it: a block that is not as the tree says gives an error instead of
 * bytes. The tree is checked when it is opened, and its lowest level kept in memory.
 */
export class VerifiedData {
  readonly #parameters: VerityParameters;
  readonly #layout: VerityLayout;
  readonly #readData: ReadBytes;
  readonly #digests: Uint8Array;
  readonly #hasher: BlockHasher;
  readonly #kept = new Map<number, Uint8Array>();

  /** @throws AshlarError `untrusted`, naming the first block of the tree that is not as the root hash says */
  constructor({ parameters, rootHash, readTree, readData }: VerifiedDataOptions) {
    this.#parameters = parameters;
    this.#layout = verityLayout(parameters);
    this.#readData = readData;
    this.#digests = trustedDigests(parameters, this.#layout, rootHash, readTree);
    this.#hasher = createBlockHasher(hash, {
      algorithm: parameters.algorithm,
      salt: parameters.salt,
      blockSizeBytes: parameters.dataBlockSizeBytes,
      digestSlotBytes: this.#layout.digestSlotBytes,
      capacity: PASS_BLOCKS,
    });
  }

  get sizeBytes(): number {
    return this.#parameters.dataBlocks * this.#parameters.dataBlockSizeBytes;
  }

  /** @throws AshlarError `untrusted`, naming the damaged block; `malformed` beyond the end */
  readonly read: ReadBytes = (offsetBytes, sizeBytes) => {
    if (offsetBytes + sizeBytes > this.sizeBytes) {
      throw new AshlarError("malformed", `expected ${offsetBytes + sizeBytes} bytes of data, found ${this.sizeBytes}`);
    }
    const size = this.#parameters.dataBlockSizeBytes;
    const bytes = new Uint8Array(sizeBytes);
    for (let done = 0; done < sizeBytes;) {
      const block = Math.floor((offsetBytes + done) / size);
      const part = this.#block(block).subarray((offsetBytes + done) % size, size);
      bytes.set(part.subarray(0, sizeBytes - done), done);
      done += part.length;
    }
    return bytes;
  };

  /** Reads everything once and gives the numbers of the first damaged blocks, at most so many. */
  findDamagedBlocks(atMost: number): number[] {
    const { dataBlocks } = this.#parameters;
    const damaged: number[] = [];
    for (let first = 0; first < dataBlocks && damaged.length < atMost; first += PASS_BLOCKS) {
      const count = Math.min(PASS_BLOCKS, dataBlocks - first);
      damaged.push(...this.#hash(first, count).flatMap((isSame, index) => (isSame ? [] : [first + index])));
    }
    return damaged.slice(0, atMost);
  }

  #block(number: number): Uint8Array {
    const known = this.#kept.get(number);
    if (known !== undefined) return known;
    const [isSame] = this.#hash(number, 1);
    if (isSame !== true) throw new AshlarError("untrusted", `block ${number} of the data is damaged`);
    // A copy of what was hashed, whatever becomes of what was read.
    const bytes = Uint8Array.from(this.#hasher.blocks[0] ?? []);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= KEPT_BLOCKS && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(number, bytes);
    return bytes;
  }

  /** Which of these blocks are as the tree says. */
  #hash(first: number, count: number): boolean[] {
    const { dataBlockSizeBytes: size } = this.#parameters;
    const { digestSlotBytes, digestBytes } = this.#layout;
    const bytes = this.#readData(first * size, count * size);
    for (const [index, block] of this.#hasher.blocks.slice(0, count).entries()) {
      block.set(bytes.subarray(index * size, (index + 1) * size));
    }
    const digests = Buffer.alloc(count * digestSlotBytes);
    this.#hasher.digest(count, digests, 0);
    return Array.from({ length: count }, (_, index) => {
      const expected = (first + index) * digestSlotBytes;
      const found = index * digestSlotBytes;
      return digests.compare(this.#digests, expected, expected + digestBytes, found, found + digestBytes) === 0;
    });
  }
}

/** The digests of the data blocks, one per slot: from the root down, each level is checked before the next is believed. */
function trustedDigests(
  parameters: VerityParameters,
  layout: VerityLayout,
  rootHash: string,
  readTree: ReadBytes,
): Uint8Array {
  const { hashBlockSizeBytes } = parameters;
  const { digestBytes, digestSlotBytes, levels } = layout;
  let digests = new Uint8Array(digestSlotBytes);
  const root = Buffer.from(rootHash, "hex");
  if (root.length !== digestBytes) {
    throw new AshlarError(
      "invalid",
      `root hash: expected ${digestBytes * 2} hexadecimal digits, found ${rootHash.length}`,
    );
  }
  digests.set(root);
  for (const { blocks, offsetBytes } of levels.toReversed()) {
    const level = readTree(offsetBytes, blocks * hashBlockSizeBytes);
    const found = Buffer.from(hashBlockDigests(parameters, level));
    for (let block = 0; block < blocks; block++) {
      const [start, end] = [block * digestSlotBytes, block * digestSlotBytes + digestBytes];
      if (found.compare(digests, start, end, start, end) === 0) continue;
      const number = offsetBytes / hashBlockSizeBytes + block;
      throw new AshlarError("untrusted", `block ${number} of the hash tree is damaged, or of another root hash`);
    }
    digests = Uint8Array.from(level);
  }
  return digests;
}
