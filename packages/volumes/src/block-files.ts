import type { FileHandle } from "node:fs/promises";
import { BLOCK_BYTES } from "@ashlar/repository-index";

/**
 * Reads blocks that stand one after the other. Where the disk gives an error or ends, the block stays as it was: its digest
 * will tell.
 */
export async function readBlocks(file: FileHandle, firstBlock: number, blocks: readonly Uint8Array[]): Promise<void> {
  try {
    const { bytesRead } = await file.readv(blocks, firstBlock * BLOCK_BYTES);
    if (bytesRead === blocks.length * BLOCK_BYTES) return;
  } catch (error) {
    if (!isDiskError(error)) throw error;
  }
  for (const [index, block] of blocks.entries()) {
    block.fill(0);
    await file.read(block, 0, block.length, (firstBlock + index) * BLOCK_BYTES).catch((error: unknown) => {
      if (!isDiskError(error)) throw error;
    });
  }
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
