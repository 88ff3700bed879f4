/**
 * The hash tree over a whole image file, by which it is published and fetched in blocks. Of a usr image that is its
 * dm-verity tree. An extension's image holds a dm-verity tree of its content, but what is fetched is the file: so the tree
 * over it is made from the file, without a salt, for equal blocks of two images must have equal digests.
 */
import type { FileHandle } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { hashBlockDigests, upperVerityLevels, type VerityParameters } from "@ashlar/formats";
import { BLOCK_BYTES, DIGEST_BYTES, leavesOf } from "@ashlar/repository-index";
import { digestBatches } from "./digest-batches.ts";
import { openTree, readLowestLevel } from "./open-tree.ts";

export type ImageTree = {
  readonly parameters: VerityParameters;
  /** The lowest level: the digests of the data blocks, in whole blocks. */
  readonly leaves: Uint8Array;
};

/** Of the tree over an extension's image. */
export function imageTreeParameters(sizeBytes: number): VerityParameters {
  return {
    algorithm: "sha256",
    salt: new Uint8Array(),
    dataBlocks: sizeBytes / BLOCK_BYTES,
    dataBlockSizeBytes: BLOCK_BYTES,
    hashBlockSizeBytes: BLOCK_BYTES,
  };
}

export function rootHashOfTree({ parameters, leaves }: ImageTree): string {
  const { rootHash } = upperVerityLevels(parameters, hashBlockDigests(parameters, leaves));
  return Buffer.from(rootHash).toString("hex");
}

/**
 * Makes the tree over an extension's image.
 *
 * @throws AshlarError `limit` for one that is not 2 to 2^20 blocks, `interrupted`
 */
export async function hashImage(file: FileHandle, signal: AbortSignal | undefined): Promise<ImageTree> {
  const { size } = await file.stat();
  const parameters = imageTreeParameters(size);
  const leaves = Buffer.from(new ArrayBuffer(leavesOf(parameters.dataBlocks) * BLOCK_BYTES));
  for await (const { first, digests } of digestBatches(file, parameters, { end: parameters.dataBlocks, signal })) {
    leaves.set(digests, first * DIGEST_BYTES);
  }
  return { parameters, leaves };
}

/**
 * Takes the lowest level from a dm-verity superblock and hash tree.
 *
 * @throws AshlarError `not-found`, `malformed`, `limit` or `invalid`
 */
export async function readTree(path: string): Promise<ImageTree> {
  const tree = await openTree({ path });
  await using _handle = tree.handle;
  const { algorithm, dataBlockSizeBytes, hashBlockSizeBytes, dataBlocks } = tree.superblock;
  if (algorithm !== "sha256" || dataBlockSizeBytes !== BLOCK_BYTES || hashBlockSizeBytes !== BLOCK_BYTES) {
    throw new AshlarError(
      "invalid",
      `${path}: expected a tree of SHA-256 over blocks of ${BLOCK_BYTES} bytes, ` +
        `found ${algorithm} over ${dataBlockSizeBytes} in ${hashBlockSizeBytes}`,
    );
  }
  return { parameters: tree.superblock, leaves: await readLowestLevel(tree, leavesOf(dataBlocks) * BLOCK_BYTES) };
}
