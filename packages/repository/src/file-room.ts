import { stat, statfs } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";

/** @throws AshlarError `failed` when the file system has no room for files of these sizes, less what they already take */
export async function checkRoom(
  directory: string,
  files: readonly { readonly path: string; readonly sizeBytes: number }[],
): Promise<void> {
  let needed = 0;
  for (const { path, sizeBytes } of files) {
    const found = await stat(path).catch(() => undefined);
    needed += Math.max(0, sizeBytes - (found?.blocks ?? 0) * STAT_BLOCK_BYTES);
  }
  const { bavail, bsize } = await statfs(directory);
  if (needed > bavail * bsize)
    throw new NoRoomError(directory, `needed are ${megabytes(needed)}, free ${megabytes(bavail * bsize)}`);
}

/** stat(2): `st_blocks` counts 512 bytes each, whatever the file system's blocks. */
const STAT_BLOCK_BYTES = 512;

/** The error for a file system that is full, or for a user's quota that is; undefined for other errors. */
export function asNoRoom(directory: string, error: unknown): AshlarError | undefined {
  if (error instanceof NoRoomError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT" ? new NoRoomError(directory, "it is full") : undefined;
}

class NoRoomError extends AshlarError {
  constructor(directory: string, detail: string) {
    super("failed", `no room in ${directory}: ${detail}`, {
      hint: "free some space there, and try again",
    });
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
