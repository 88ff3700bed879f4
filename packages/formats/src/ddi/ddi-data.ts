import type { ReadBytes } from "../erofs/image.ts";
import { VerifiedData } from "../verity/verified-data.ts";
import type { Ddi } from "./parse-ddi.ts";

/**
 * The file system of a DDI, each block checked against the root hash when it is read. Whether to trust the root hash is
 * for `verifyRootHashSignature` to say.
 *
 * @throws AshlarError `untrusted` when the hash tree is not of that root hash
 */
export function openDdiData({ data, tree, superblock, signed }: Ddi, read: ReadBytes): VerifiedData {
  return new VerifiedData({
    parameters: superblock,
    rootHash: signed.rootHash,
    readData: (offsetBytes, sizeBytes) => read(data.offsetBytes + offsetBytes, sizeBytes),
    readTree: (offsetBytes, sizeBytes) => read(tree.offsetBytes + offsetBytes, sizeBytes),
  });
}
