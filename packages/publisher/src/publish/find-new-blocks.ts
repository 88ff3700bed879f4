import { open } from "node:fs/promises";
import { DIGEST_BYTES } from "@ashlar/repository-index";
import { hashImage, type ImageTree } from "@ashlar/volumes";

/**
 * Which blocks of an image an earlier one does not have, wherever in it.
 *
 * @returns for each block 1 if it is new
 */
export async function findNewBlocks(
  tree: ImageTree,
  earlierPath: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  await using earlier = await open(earlierPath, "r");
  const known = new Set(digestsOf(await hashImage(earlier, signal)));
  return Uint8Array.from(digestsOf(tree), (digest) => (known.has(digest) ? 0 : 1));
}

function* digestsOf({ parameters, leaves }: ImageTree): Generator<string> {
  const bytes = Buffer.from(leaves.buffer, leaves.byteOffset, leaves.length);
  for (let block = 0; block < parameters.dataBlocks; block++) {
    yield bytes.toString("latin1", block * DIGEST_BYTES, (block + 1) * DIGEST_BYTES);
  }
}
