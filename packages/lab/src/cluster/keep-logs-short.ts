import { copyFile, readdir, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { isMissing } from "@ashlar/host";

/** Of each program, and once more of what it wrote before. */
const MAX_LOG_BYTES: number = 8 * 1024 * 1024;
const INTERVAL_MS = 30_000;
const BEFORE = ".1";

/**
 * Looks at the logs of a lab's cluster for as long as this process lives: an API server whose nodes are away complains
 * about each of them for ever.
 */
export function keepLogsShort(directory: string, onProblem: (message: string) => void): void {
  setInterval(() => {
    cutLogs(directory, MAX_LOG_BYTES).catch((error: unknown) => onProblem(`logs: ${messageOf(error)}`));
  }, INTERVAL_MS);
}

/**
 * What is longer than that goes to a file beside it, in place of what is there. The programs know nothing of it: they add
 * to the file that they were started with, and what they write between the copy and the cut is lost.
 *
 * @throws AshlarError `failed` when a log cannot be cut
 */
export async function cutLogs(directory: string, maxBytes: number): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".log")) continue;
    const path = join(directory, name);
    try {
      if ((await stat(path)).size <= maxBytes) continue;
      await copyFile(path, path + BEFORE);
      await truncate(path);
    } catch (error) {
      if (isMissing(error)) continue;
      // Without room for the copy, the cut is what makes room.
      await truncate(path).catch(() => undefined);
      throw new AshlarError("failed", `${path}: ${messageOf(error)}`);
    }
  }
}
