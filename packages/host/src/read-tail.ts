import { open } from "node:fs/promises";
import { isMissing } from "./read-file.ts";

/** The last bytes of a file, at most `maxBytes`; none when it does not exist. */
export async function readTail(path: string, maxBytes: number): Promise<Buffer> {
  let file;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
    throw error;
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - maxBytes);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
