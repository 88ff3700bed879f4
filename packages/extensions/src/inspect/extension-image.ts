import { type Ddi, openDdiData, parseDdi } from "@ashlar/formats";
import type { ManifestFile } from "@ashlar/protocol/answers";
import { type ExtensionContent, readExtension } from "@ashlar/protocol";
import { openRegion, readImageFiles, readRegionSync } from "@ashlar/volumes";

/** As much as file contents are read in. */
const REUSED_BYTES = 1024 * 1024;

export type ExtensionImage = {
  readonly ddi: Ddi;
  readonly sizeBytes: number;
  readonly content: ExtensionContent;
  /** Sorted by path. */
  readonly files: readonly ManifestFile[];
};

/**
 * Reads an image whole. What is said of it is as good as its root hash when each block is checked against it.
 *
 * @param blocks `trusted`: an image of this process's own making is read without checking
 * @throws AshlarError `not-found`, `malformed`, `limit`, `invalid`, `untrusted`
 */
export async function readExtensionImage(path: string, blocks: "checked" | "trusted"): Promise<ExtensionImage> {
  const region = await openRegion({ path });
  await using _handle = region.handle;
  const read = readRegionSync(region, Buffer.allocUnsafe(REUSED_BYTES));
  const ddi = parseDdi(read, region.sizeBytes);
  const { offsetBytes, sizeBytes } = ddi.data;
  const readData =
    blocks === "checked"
      ? openDdiData(ddi, read).read
      : (offset: number, size: number) => read(offsetBytes + offset, size);
  const content = readExtension(readData, sizeBytes);
  const files: ManifestFile[] = [];
  for await (const file of readImageFiles(content.image, "")) files.push(file);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { ddi, sizeBytes: region.sizeBytes, content, files };
}
