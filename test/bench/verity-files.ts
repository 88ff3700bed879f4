import { randomFillSync } from "node:crypto";
import { open } from "node:fs/promises";

/** How long hashing takes does not depend on what is hashed. */
export async function writeNoise(path: string, sizeBytes: number): Promise<void> {
  await using file = await open(path, "w");
  const chunk = Buffer.alloc(1024 * 1024);
  for (let written = 0; written < sizeBytes;) {
    randomFillSync(chunk);
    const size = Math.min(chunk.length, sizeBytes - written);
    await file.write(chunk, 0, size);
    written += size;
  }
}
