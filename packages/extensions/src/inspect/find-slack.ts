import { type Ddi, GPT_BACKUP_BYTES, GPT_PRIMARY_BYTES, SUPERBLOCK_BYTES, verityLayout } from "@ashlar/formats";
import { type ImageProblem, openRegion, readRegion } from "@ashlar/volumes";

/** The boot code of the protective MBR, of which the partition table's checksums say nothing. */
const BOOT_CODE_BYTES = 446;
const CHUNK_BYTES = 1024 * 1024;

/** Bytes that no hash covers must be zero: nothing can hide there. */
export async function findSlack(path: string, ddi: Ddi): Promise<ImageProblem[]> {
  const region = await openRegion({ path });
  await using _handle = region.handle;
  const { data, tree, signature, superblock } = ddi;
  const end = ({ offsetBytes, sizeBytes }: { readonly offsetBytes: number; readonly sizeBytes: number }): number =>
    offsetBytes + sizeBytes;
  const treeBytes = verityLayout(superblock).hashSizeBytes;
  const parts = [data, tree, signature].toSorted((a, b) => a.offsetBytes - b.offsetBytes);
  const starts = [...parts.map(({ offsetBytes }) => offsetBytes), region.sizeBytes - GPT_BACKUP_BYTES];
  const gaps: readonly (readonly [from: number, to: number])[] = [
    [0, BOOT_CODE_BYTES],
    ...starts.map((start, index) => [index === 0 ? GPT_PRIMARY_BYTES : end(parts[index - 1] ?? data), start] as const),
    [tree.offsetBytes + SUPERBLOCK_BYTES, tree.offsetBytes + superblock.hashBlockSizeBytes],
    [tree.offsetBytes + treeBytes, end(tree)],
  ];
  for (const [from, to] of gaps) {
    for (let offset = from; offset < to; offset += CHUNK_BYTES) {
      const bytes = await readRegion(region, offset, Math.min(CHUNK_BYTES, to - offset));
      const found = bytes.findIndex((byte) => byte !== 0);
      if (found !== -1)
        return [{ message: `outside of what is hashed: expected zeros, found others at ${offset + found}` }];
    }
  }
  return [];
}
