import { open } from "node:fs/promises";
import { digestBatches, type DigestBatch } from "./digest-batches.ts";
import type { WholeTree } from "./whole-tree.ts";

export type BadBlocks = {
  readonly badBlockCount: number;
  /** The first of them, in ascending order. */
  readonly badBlocks: readonly number[];
};

export type FindBadBlocksOptions = {
  readonly signal?: AbortSignal | undefined;
  /** 1 for blocks that were found good just now and need not be read again. */
  readonly good?: Uint8Array | undefined;
};

const MAX_NAMED_BLOCKS = 1024;

/**
 * Reads every block of a file or partition and compares it with the tree over it. A block that the disk does not hand out is
 * a bad one. In one thread, since a node has other things to do; `verifyVerity` uses as many as there are.
 *
 * @throws AshlarError `interrupted`
 */
export async function findBadBlocks(
  dataPath: string,
  tree: WholeTree,
  { signal, good }: FindBadBlocksOptions = {},
): Promise<BadBlocks> {
  await using data = await open(dataPath, "r");
  const { superblock } = tree;
  const badBlocks: number[] = [];
  let badBlockCount = 0;
  for await (const batch of digestBatches(data, superblock, { end: superblock.dataBlocks, signal, good })) {
    for (const block of badBlocksOf(batch, tree)) {
      badBlockCount += 1;
      if (badBlocks.length < MAX_NAMED_BLOCKS) badBlocks.push(block);
    }
  }
  return { badBlockCount, badBlocks };
}

function badBlocksOf({ first, count, digests, unreadable }: DigestBatch, { layout, lowest }: WholeTree): number[] {
  const { digestSlotBytes, digestBytes } = layout;
  const wanted = lowest.subarray(first * digestSlotBytes, (first + count) * digestSlotBytes);
  // Nearly always: and looking at each takes longer than hashing it where JavaScript is interpreted.
  if (unreadable.size === 0 && digests.equals(wanted)) return [];
  const bad: number[] = [];
  for (let index = 0; index < count; index++) {
    const [start, end] = [index * digestSlotBytes, index * digestSlotBytes + digestBytes];
    const isGood = !unreadable.has(index) && digests.subarray(start, end).equals(wanted.subarray(start, end));
    if (!isGood) bad.push(first + index);
  }
  return bad;
}
