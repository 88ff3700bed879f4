import { type FileHandle, open } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { parseVeritySuperblock, SUPERBLOCK_BYTES, verityLayout, type VerityParameters } from "@ashlar/formats";
import { BLOCK_BYTES, DIGEST_BYTES, MAX_DATA_BLOCKS } from "@ashlar/repository-index";
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
  await using tree = await open(treePath, "r");
  const superblock = parseVeritySuperblock(await readAt(tree, 0, SUPERBLOCK_BYTES));
  const isAlike =
    superblock.algorithm === wanted.algorithm &&
    superblock.dataBlockSizeBytes === wanted.dataBlockSizeBytes &&
    superblock.hashBlockSizeBytes === wanted.hashBlockSizeBytes &&
    Buffer.compare(superblock.salt, wanted.salt) === 0;
  if (!isAlike)
    throw new AshlarError("invalid", `${treePath}: expected the release's salt and block sizes, found others`);
  const [lowest] = verityLayout(superblock).levels;
  if (lowest === undefined || lowest.blocks * BLOCK_BYTES > MAX_DATA_BLOCKS * DIGEST_BYTES) {
    throw new AshlarError("limit", `${treePath}: expected a tree over 2 to ${MAX_DATA_BLOCKS} blocks`);
  }
  return await readAt(tree, lowest.offsetBytes, superblock.dataBlocks * DIGEST_BYTES);
}

async function readAt(file: FileHandle, position: number, sizeBytes: number): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.from(new ArrayBuffer(sizeBytes));
  const { bytesRead } = await file.read(bytes, 0, sizeBytes, position);
  if (bytesRead === sizeBytes) return bytes;
  throw new AshlarError("invalid", `hash tree: expected ${sizeBytes} bytes at ${position}, found ${bytesRead}`);
}
