import { AshlarError } from "@ashlar/base";
import {
  hashBlockDigests,
  parseVeritySuperblock,
  SUPERBLOCK_BYTES,
  type VerityLayout,
  verityLayout,
  type VeritySuperblock,
} from "@ashlar/formats";
import { hashRanges } from "./hash-ranges.ts";
import { openRegion, type OpenRegion, readRegion, type Region } from "../region.ts";

export type VerifyVerityOptions = {
  readonly data: Region;
  readonly hash: Region;
  /** In hexadecimal digits. */
  readonly rootHash: string;
  readonly threads?: number;
  readonly onProgress?: (doneFraction: number) => void;
};

export type VerityVerification = {
  readonly superblock: VeritySuperblock;
  /** Empty when every block is as the root hash says: the root first, then hash blocks from the top, then data blocks. */
  readonly problems: readonly VerityProblem[];
  /** `problems` names only the first of them. */
  readonly badDataBlocks: number;
};

/**
 * - `root`: the tree is whole but belongs to another root hash, or its topmost block is damaged.
 * - `hash-block`: a block of the tree does not match the block above it; `block` counts from the hash region's begin.
 * - `data-block`: a data block does not match the tree; `block` counts from the data region's begin.
 */
export type VerityProblem =
  | { readonly kind: "root"; readonly expected: string; readonly found: string }
  | { readonly kind: "hash-block"; readonly block: number; readonly offsetBytes: number }
  | { readonly kind: "data-block"; readonly block: number; readonly offsetBytes: number };

const MAX_HASH_BLOCK_PROBLEMS = 16;

/**
 * Checks data against its hash tree and the tree against the root hash, in one pass, and names the first blocks that
 * are not as they were.
 *
 * @throws AshlarError `not-found`, `malformed` or `invalid` when there is no hash tree that fits the data to check
 */
export async function verifyVerity(options: VerifyVerityOptions): Promise<VerityVerification> {
  const data = await openRegion(options.data);
  await using _dataHandle = data.handle;
  const hash = await openRegion(options.hash);
  await using _hashHandle = hash.handle;

  const superblock = parseVeritySuperblock(await readRegion(hash, 0, Math.min(SUPERBLOCK_BYTES, hash.sizeBytes)));
  const layout = verityLayout(superblock);
  checkRootHash(options.rootHash, layout.digestBytes);
  const dataBytes = superblock.dataBlocks * superblock.dataBlockSizeBytes;
  checkSize(options.data.path, data.sizeBytes, dataBytes);
  checkSize(options.hash.path, hash.sizeBytes, layout.hashSizeBytes);
  const { digests, badBlockCount, firstBadBlocks } = await compareLowest(superblock, data, hash, options);
  const upper = await compareUpper(superblock, layout, hash, digests);
  const problems: VerityProblem[] = [...upper.problems];
  const found = Buffer.from(upper.topDigest.subarray(0, layout.digestBytes)).toString("hex");
  if (found !== options.rootHash) problems.unshift({ kind: "root", expected: options.rootHash, found });
  for (const block of firstBadBlocks) {
    problems.push({ kind: "data-block", block, offsetBytes: block * superblock.dataBlockSizeBytes });
  }
  return { superblock, problems, badDataBlocks: badBlockCount };
}

type Lowest = {
  readonly digests: Uint8Array;
  readonly badBlockCount: number;
  readonly firstBadBlocks: readonly number[];
};

async function compareLowest(
  superblock: VeritySuperblock,
  data: OpenRegion,
  hash: OpenRegion,
  options: VerifyVerityOptions,
): Promise<Lowest> {
  if (superblock.dataBlocks === 1) {
    const block = await readRegion(data, 0, superblock.dataBlockSizeBytes);
    const parameters = { ...superblock, hashBlockSizeBytes: superblock.dataBlockSizeBytes };
    return { digests: hashBlockDigests(parameters, block), badBlockCount: 0, firstBadBlocks: [] };
  }
  return await hashRanges({
    mode: "verify",
    parameters: superblock,
    dataFile: data.handle.fd,
    dataOffsetBytes: data.offsetBytes,
    hashFile: hash.handle.fd,
    hashOffsetBytes: hash.offsetBytes,
    threads: options.threads,
    onProgress: options.onProgress,
  });
}

/** Compares each level with the digests of the level below it, and gives the topmost block's digest. */
async function compareUpper(
  superblock: VeritySuperblock,
  { levels, digestSlotBytes, digestBytes }: VerityLayout,
  hash: OpenRegion,
  lowestDigests: Uint8Array,
): Promise<{ readonly problems: readonly VerityProblem[]; readonly topDigest: Uint8Array }> {
  const problems: VerityProblem[] = [];
  let digests = lowestDigests;
  for (const [index, level] of levels.entries()) {
    if (index === 0) continue;
    const stored = await readRegion(hash, level.offsetBytes, level.blocks * superblock.hashBlockSizeBytes);
    const below = levels[index - 1] ?? level;
    const bad: VerityProblem[] = [];
    for (let child = 0; child < below.blocks && bad.length < MAX_HASH_BLOCK_PROBLEMS; child++) {
      const [start, end] = [child * digestSlotBytes, child * digestSlotBytes + digestBytes];
      if (stored.subarray(start, end).equals(digests.subarray(start, end))) continue;
      const offsetBytes = below.offsetBytes + child * superblock.hashBlockSizeBytes;
      bad.push({ kind: "hash-block", block: offsetBytes / superblock.hashBlockSizeBytes, offsetBytes });
    }
    problems.unshift(...bad);
    digests = hashBlockDigests(superblock, stored);
  }
  return { problems, topDigest: digests };
}

function checkRootHash(rootHash: string, digestBytes: number): void {
  if (rootHash.length === digestBytes * 2 && /^[0-9a-f]+$/u.test(rootHash)) return;
  throw new AshlarError(
    "invalid",
    `root hash: expected ${digestBytes * 2} lower-case hexadecimal digits, found ${rootHash.slice(0, 140)}`,
  );
}

function checkSize(path: string, found: number, expected: number): void {
  if (found >= expected) return;
  throw new AshlarError(
    "invalid",
    `${path}: expected at least the ${expected} bytes that the superblock states, found ${found}`,
  );
}
