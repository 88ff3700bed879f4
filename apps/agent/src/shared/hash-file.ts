import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

export type FileDigest = {
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly digest: string;
};

/** Reads a file to its end. */
export async function hashFile(path: string, algorithm: "sha256" | "sha512" = "sha256"): Promise<FileDigest> {
  const hash = createHash(algorithm);
  let sizeBytes = 0;
  const chunks: AsyncIterable<Buffer> = createReadStream(path);
  for await (const chunk of chunks) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, digest: hash.digest("hex") };
}
