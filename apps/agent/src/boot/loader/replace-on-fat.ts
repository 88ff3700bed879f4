import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { digestFile, isMissing } from "@ashlar/host";
import { syncDirectory } from "../../shared/state-file.ts";
import { dropCaches } from "../../slots/scrub.ts";

/**
 * Replaces a file on a FAT file system: whichever of the kernel's writes is the last before a power cut, the name leads to
 * all of the old file or to all of the new one. FAT promises nothing of the kind; what makes it so with Linux is
 *
 * - that the new file is all there, and was read back, before its name is given away;
 * - that a rename over a file changes the 32 bytes of one directory entry, in one sector (fs/fat/namei_vfat.c);
 * - that the old file is open until that sector is on the disk. Else its clusters would be free at once, and the file
 *   allocation table, which comes first on the disk, may be written before the entry that still points to them;
 * - that the directory is written before the entry: the kernel takes the new file's first name from it, but fills the
 *   entry in later, with the file. Two names of the same clusters would be cut short by fsck.fat(8).
 *
 * `test/faults/esp-power-cut.test.ts` tries it with every sector that the kernel writes.
 *
 * @param unfinished where the new file is written, in the same directory
 * @throws AshlarError `limit` when there is no room, `failed`
 */
export async function replaceOnFat(path: string, unfinished: string, content: Uint8Array): Promise<void> {
  try {
    await rm(unfinished, { force: true });
    await writeAndReadBack(unfinished, content);
    await using _old = await openIfThere(path);
    await using file = await open(unfinished, "r");
    await rename(unfinished, path);
    await syncDirectory(dirname(path));
    await file.sync();
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw explain(error, path, content.length);
  }
}

async function writeAndReadBack(path: string, content: Uint8Array): Promise<void> {
  {
    await using file = await open(path, "wx");
    await file.writeFile(content);
    await file.sync();
  }
  await syncDirectory(dirname(path));
  await dropCaches([path]);
  const expected = createHash("sha256").update(content).digest("hex");
  const { digest } = await digestFile(path);
  if (digest === expected) return;
  throw new AshlarError("failed", `${path}: what was written reads back with another digest: ${digest}`, {
    hint: "the disk may be failing: see the node's journal",
  });
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return await open(path, "r").catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

function explain(error: unknown, path: string, sizeBytes: number): AshlarError {
  if (error instanceof AshlarError) return error;
  const isFull = error instanceof Error && "code" in error && error.code === "ENOSPC";
  if (!isFull) return new AshlarError("failed", `${path} cannot be replaced: ${messageOf(error)}`, { cause: error });
  return new AshlarError("limit", `the ESP is full: ${path} cannot be replaced, which takes ${sizeBytes} bytes more`, {
    hint: "remove what is not Ashlar's from the ESP (/boot); the next boot tries it again",
    cause: error,
  });
}
