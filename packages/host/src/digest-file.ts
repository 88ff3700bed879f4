import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { AshlarError } from "@ashlar/base";

/** @throws AshlarError `not-found`, `failed`, `interrupted` */
export async function digestFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const sha256 = createHash("sha256");
  try {
    await pipeline(createReadStream(path), sha256, { signal });
    return { sizeBytes: (await stat(path)).size, sha256: sha256.digest("hex") };
  } catch (error) {
    if (signal?.aborted === true) throw new AshlarError("interrupted", `reading ${path} was interrupted`);
    throw unreadable(path, error);
  }
}

/**
 * @param hint what the file should be
 * @throws AshlarError `not-found`, `failed`
 */
export async function readPart(path: string, hint: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadable(path, error, hint);
  }
}

function unreadable(path: string, error: unknown, hint?: string): AshlarError {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return new AshlarError(code === "ENOENT" ? "not-found" : "failed", `cannot read ${path}: ${code}`, {
    ...(hint !== undefined && { hint }),
    cause: error,
  });
}
