import { open } from "node:fs/promises";

/** Copies a file into another at an offset; runs of zeros become holes. */
export async function copyInto(sourcePath: string, targetPath: string, offsetBytes: number): Promise<void> {
  await using source = await open(sourcePath, "r");
  await using target = await open(targetPath, "r+");
  const buffer = Buffer.alloc(COPY_BYTES);
  const zeros = Buffer.alloc(COPY_BYTES);
  let position = 0;
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, COPY_BYTES, position);
    if (bytesRead === 0) return;
    const chunk = buffer.subarray(0, bytesRead);
    if (!chunk.equals(zeros.subarray(0, bytesRead))) await target.write(chunk, 0, bytesRead, offsetBytes + position);
    position += bytesRead;
  }
}

const COPY_BYTES = 1024 * 1024;
