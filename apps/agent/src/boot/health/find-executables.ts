import { constants } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "@ashlar/host";
import type { Check } from "./run-check.ts";
import { runExecutable } from "./run-executable.ts";

/** More of them are a mistake, and would be run all at once. */
const MAX_CHECKS = 48;
const MAX_NAME_CHARACTERS = 200;

/** A check for each executable file, in the order of the directories and of their names; one more when there are too many. */
export async function findExecutables(directories: readonly string[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const directory of directories) {
    for (const name of await namesIn(directory)) {
      const path = join(directory, name);
      const { mode, isFile } = await statOf(path);
      if (!isFile || (mode & (constants.S_IXUSR | constants.S_IXGRP | constants.S_IXOTH)) === 0) continue;
      // The name goes out in the node's status, and onto terminals.
      const shown = path.replaceAll(/\p{Cc}/gu, "?").slice(-MAX_NAME_CHARACTERS);
      checks.push({ name: shown, run: async (signal) => await runExecutable(path, signal) });
    }
  }
  if (checks.length <= MAX_CHECKS) return checks;
  const tooMany = async (): Promise<void> =>
    await Promise.reject(new Error(`expected at most ${MAX_CHECKS}, found ${checks.length}: not all of them are run`));
  return [...checks.slice(0, MAX_CHECKS), { name: "health checks", run: tooMany }];
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names.filter((name) => !name.startsWith(".")).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A link that leads nowhere is no check. */
async function statOf(path: string): Promise<{ readonly mode: number; readonly isFile: boolean }> {
  try {
    const found = await stat(path);
    return { mode: found.mode, isFile: found.isFile() };
  } catch (error) {
    if (isMissing(error)) return { mode: 0, isFile: false };
    throw error;
  }
}
