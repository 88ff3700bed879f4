import { type FileHandle, readFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";

const SECTOR_BYTES = 512;

/** The size of a regular file or, as the kernel tells it in sectors of 512 bytes, of a block device. */
export async function deviceSize(handle: FileHandle): Promise<number> {
  const stat = await handle.stat();
  if (!stat.isBlockDevice()) return stat.size;
  // The layout of dev_t in the C library (makedev(3)).
  const [major, minor] = [(stat.rdev >>> 8) & 0xfff, (stat.rdev & 0xff) | ((stat.rdev >>> 12) & 0xfff00)];
  return Number(await readFile(`/sys/dev/block/${major}:${minor}/size`, "utf8")) * SECTOR_BYTES;
}

/** @throws AshlarError `failed` when the device ends before, or cannot be read here */
export async function readExactly(handle: FileHandle, offsetBytes: number, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  await readInto(handle, [bytes], offsetBytes);
  return bytes;
}

/** Fills all the views, one after the other. */
export async function readInto(handle: FileHandle, views: readonly Uint8Array[], offsetBytes: number): Promise<void> {
  const wanted = views.reduce((sum, view) => sum + view.length, 0);
  let found: number;
  try {
    found = (await handle.readv([...views], offsetBytes)).bytesRead;
  } catch (error) {
    throw new AshlarError("failed", `cannot read ${wanted} bytes at offset ${offsetBytes}: ${String(error)}`, {
      cause: error,
    });
  }
  if (found === wanted) return;
  throw new AshlarError("failed", `expected ${wanted} bytes at offset ${offsetBytes}, found ${found}`);
}
