import { AshlarError } from "@ashlar/base";
import type { VeritySuperblock } from "@ashlar/formats";
import { openRegion, type OpenRegion, type Region } from "../region.ts";
import { checkUpperLevels, expectSize, openTree } from "../tree/open-tree.ts";
import { hashRanges } from "./hash-ranges.ts";
import { digestOfOnlyBlock } from "./only-block.ts";

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

/**
 * Checks data against its hash tree and the tree against the root hash, in one pass, and names the first blocks that
 * are not as they were.
 *
 * @throws AshlarError `not-found`, `malformed` or `invalid` when there is no hash tree that fits the data to check
 */
export async function verifyVerity(options: VerifyVerityOptions): Promise<VerityVerification> {
  const data = await openRegion(options.data);
  await using _dataHandle = data.handle;
  const tree = await openTree(options.hash);
  await using _hashHandle = tree.handle;
  const { superblock, layout } = tree;
  checkRootHash(options.rootHash, layout.digestBytes);
  expectSize(options.data.path, data.sizeBytes, superblock.dataBlocks * superblock.dataBlockSizeBytes);
  const { digests, badBlockCount, firstBadBlocks } = await compareLowest(superblock, data, tree.region, options);
  const { badOffsets, rootHash: found } = await checkUpperLevels(tree, digests);
  const problems: VerityProblem[] = badOffsets.map((offsetBytes) => ({
    kind: "hash-block",
    block: offsetBytes / superblock.hashBlockSizeBytes,
    offsetBytes,
  }));
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
    return { digests: await digestOfOnlyBlock(superblock, data), badBlockCount: 0, firstBadBlocks: [] };
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

function checkRootHash(rootHash: string, digestBytes: number): void {
  if (rootHash.length === digestBytes * 2 && /^[0-9a-f]+$/u.test(rootHash)) return;
  throw new AshlarError(
    "invalid",
    `root hash: expected ${digestBytes * 2} lower-case hexadecimal digits, found ${rootHash.slice(0, 140)}`,
  );
}
