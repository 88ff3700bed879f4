import { AshlarError } from "@ashlar/base";
import { hashBlockDigests, type VerityLayout, type VeritySuperblock } from "@ashlar/formats";
import { checkUpperLevels, openTree, type OpenTree, readLowestLevel } from "./open-tree.ts";

/** A hash tree that holds together, up to its root hash. */
export type WholeTree = {
  /** In hexadecimal. */
  readonly rootHash: string;
  readonly superblock: VeritySuperblock;
  readonly layout: VerityLayout;
  /** The lowest level: the digests of the data blocks. */
  readonly lowest: Buffer;
};

/** 1.4 MB for today's /usr; 64 MiB of tree stand for 8 GiB of data. */
const MAX_LOWEST_BYTES: number = 64 * 1024 * 1024;

/**
 * Reads a hash tree and computes its root hash from the lowest level up. Undefined when there is none on the device, or
 * when its levels do not agree with each other.
 *
 * @throws AshlarError `not-found`, `limit`; `failed` when the device cannot be read
 */
export async function readWholeTree(path: string): Promise<WholeTree | undefined> {
  const tree = await openIfThere(path);
  if (tree === undefined) return undefined;
  await using _handle = tree.handle;
  const { superblock, layout } = tree;
  // One data block is its own tree: no release is that small.
  if (layout.levels.length === 0) return undefined;
  const lowest = await readLowestLevel(tree, MAX_LOWEST_BYTES);
  const { badOffsets, rootHash } = await checkUpperLevels(tree, hashBlockDigests(superblock, lowest));
  return badOffsets.length === 0 ? { rootHash, superblock, layout, lowest } : undefined;
}

async function openIfThere(path: string): Promise<OpenTree | undefined> {
  try {
    return await openTree({ path });
  } catch (error) {
    if (error instanceof AshlarError && NO_TREE.has(error.code)) return undefined;
    throw error;
  }
}

const NO_TREE: ReadonlySet<string> = new Set(["malformed", "invalid"]);
