import { open, rename, rm } from "node:fs/promises";

/** Writes a file so that readers see the old content or all of the new, never a part, also after a crash. */
export async function writeFileAtomically(path: string, content: Uint8Array | string, mode = 0o644): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  try {
    const file = await open(temporary, "w", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
