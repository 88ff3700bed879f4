import { hashBlockDigests, type VeritySuperblock } from "@ashlar/formats";
import { readRegion, type OpenRegion } from "../region.ts";

/** The digest of the data's only block: a tree over one block has no levels, and this is its root hash. */
export async function digestOfOnlyBlock(superblock: VeritySuperblock, data: OpenRegion): Promise<Uint8Array> {
  const block = await readRegion(data, 0, superblock.dataBlockSizeBytes);
  return hashBlockDigests({ ...superblock, hashBlockSizeBytes: superblock.dataBlockSizeBytes }, block);
}
