import type { FileHandle } from "node:fs/promises";
import { BLOCK_BYTES } from "@ashlar/repository-index";

/**
 * Reads blocks of one size that stand one after the other. Where the disk gives an error or ends, the block is filled with
 * zeros: gives the indexes of those.
 */
export async function readBlocks(
  file: FileHandle,
  firstBlock: number,
  blocks: readonly Uint8Array[],
): Promise<ReadonlySet<number>> {
  const blockBytes = blocks[0]?.length ?? 0;
  try {
    const { bytesRead } = await file.readv(blocks, firstBlock * blockBytes);
    if (bytesRead === blocks.length * blockBytes) return new Set();
  } catch (error) {
    if (!isDiskError(error)) throw error;
  }
  const unreadable = new Set<number>();
  for (const [index, block] of blocks.entries()) {
    block.fill(0);
    try {
      const { bytesRead } = await file.read(block, 0, blockBytes, (firstBlock + index) * blockBytes);
      if (bytesRead < blockBytes) unreadable.add(index);
    } catch (error) {
      if (!isDiskError(error)) throw error;
      unreadable.add(index);
    }
  }
  return unreadable;
}

function isDiskError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EIO";
}

/** Writes blocks one after the other. */
export async function writeBlocksAt(
  file: FileHandle,
  firstBlock: number,
  blocks: readonly Uint8Array[],
): Promise<void> {
  const { bytesWritten } = await file.writev(blocks, firstBlock * BLOCK_BYTES);
  if (bytesWritten === blocks.length * BLOCK_BYTES) return;
  // Mostly because the disk has become full: then writing the rest says so.
  const bytes = Buffer.concat(blocks);
  for (let done = bytesWritten; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, firstBlock * BLOCK_BYTES + done)).bytesWritten;
  }
}
