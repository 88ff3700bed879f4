import { open } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import type { VerityParameters } from "@ashlar/formats";
import { DIGEST_BYTES, MAX_DATA_BLOCKS } from "@ashlar/repository-index";
import { openTree, readLowestLevel } from "@ashlar/volumes";
import type { OpenSource } from "./image-source.ts";

/** Where a release may lie already: a slot's partitions, or files. */
export type SlotSource = {
  /** For reports, for example `ashlar_1.0.0`. */
  readonly label: string;
  readonly dataPath: string;
  readonly treePath: string;
};

/**
 * A slot gives digests that compare with the wanted ones if its tree has the same salt and the same sizes.
 *
 * @throws what is wrong with the slot
 */
export async function openSlot(
  { label, dataPath, treePath }: SlotSource,
  wanted: VerityParameters,
): Promise<OpenSource> {
  return { label, digests: await readDigests(treePath, wanted), data: await open(dataPath, "r") };
}

async function readDigests(treePath: string, wanted: VerityParameters): Promise<Buffer> {
  const tree = await openTree({ path: treePath });
  await using _handle = tree.handle;
  const { superblock } = tree;
  const isAlike =
    superblock.algorithm === wanted.algorithm &&
    superblock.dataBlockSizeBytes === wanted.dataBlockSizeBytes &&
    superblock.hashBlockSizeBytes === wanted.hashBlockSizeBytes &&
    Buffer.compare(superblock.salt, wanted.salt) === 0;
  if (!isAlike)
    throw new AshlarError("invalid", `${treePath}: expected the release's salt and block sizes, found others`);
  const lowest = await readLowestLevel(tree, MAX_DATA_BLOCKS * DIGEST_BYTES);
  return lowest.subarray(0, superblock.dataBlocks * DIGEST_BYTES);
}
