import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { AshlarError } from "@ashlar/base";

export type FileDigest = {
  /** How much was read. */
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly digest: string;
};

/**
 * Reads a file to its end.
 *
 * @throws AshlarError `not-found`, `failed`, `interrupted`
 */
export async function digestFile(
  path: string,
  {
    algorithm = "sha256",
    signal,
  }: { readonly algorithm?: "sha256" | "sha512"; readonly signal?: AbortSignal | undefined } = {},
): Promise<FileDigest> {
  const hash = createHash(algorithm);
  let sizeBytes = 0;
  const add = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
  };
  try {
    await pipeline(createReadStream(path), add, { signal });
    return { sizeBytes, digest: hash.digest("hex") };
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
