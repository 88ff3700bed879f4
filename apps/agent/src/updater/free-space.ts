import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { isMissing } from "@ashlar/host";

const MEBIBYTE = 1024 * 1024;
/** The unit of st_blocks (stat(2)). */
const STAT_BLOCK_BYTES = 512;
/** Directories, and clusters that a file does not fill. */
const ESP_MARGIN_BYTES: number = 1 * MEBIBYTE;
/** A node with less is not healthy (see the health checks): an update must not make it so. */
const STATE_RESERVED_FRACTION = 0.1;

/**
 * Checks that there is room, before anything is touched.
 *
 * @throws AshlarError `limit`
 */
export async function checkSpace(
  where: "/var/lib/ashlar" | "the ESP",
  path: string,
  neededBytes: number,
  reusableBytes: number,
): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(path);
  const reservedBytes =
    where === "/var/lib/ashlar" ? Math.ceil(blocks * bsize * STATE_RESERVED_FRACTION) : ESP_MARGIN_BYTES;
  const freeBytes = bavail * bsize + reusableBytes - reservedBytes;
  if (freeBytes >= neededBytes) return;
  const [needed, free] = [neededBytes, Math.max(0, freeBytes)].map((bytes) => (bytes / MEBIBYTE).toFixed(1));
  throw new AshlarError("limit", `${where}: expected ${needed} MiB free for the release, found ${free} MiB`, {
    hint:
      where === "/var/lib/ashlar"
        ? "free some of it, or of /var where it has no partition of its own: a tenth is kept for the node itself"
        : "remove what is not Ashlar's from the ESP (/boot)",
  });
}

/** What the files of a directory take; nothing when there is none. */
export async function sizeOfFiles(directory: string): Promise<number> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return await sumOfSizes(names.map((name) => join(directory, name)));
}

/** What boot entries take. */
export async function sizeOfEntries(
  directory: string,
  entries: readonly { readonly fileName: string }[],
): Promise<number> {
  return await sumOfSizes(entries.map(({ fileName }) => join(directory, fileName)));
}

async function sumOfSizes(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).blocks * STAT_BLOCK_BYTES));
  return sizes.reduce((sum, size) => sum + size, 0);
}
