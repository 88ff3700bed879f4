import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

export type FileDigest = {
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
};

/** Reads a file to its end. */
export async function hashFile(path: string): Promise<FileDigest> {
  const digest = createHash("sha256");
  let sizeBytes = 0;
  const chunks: AsyncIterable<Buffer> = createReadStream(path);
  for await (const chunk of chunks) {
    digest.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: digest.digest("hex") };
}
