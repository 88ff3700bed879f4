import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives `work` a fresh directory and removes it afterwards, also when the process is told to end. */
export async function withTemporaryDirectory<T>(
  work: (directory: string) => Promise<T>,
  parent: string = tmpdir(),
): Promise<T> {
  const directory = await mkdtemp(join(parent, "ashlar-"));
  const removeAtExit = (): void => rmSync(directory, { recursive: true, force: true });
  process.once("exit", removeAtExit);
  try {
    return await work(directory);
  } finally {
    process.removeListener("exit", removeAtExit);
    await rm(directory, { recursive: true, force: true });
  }
}
