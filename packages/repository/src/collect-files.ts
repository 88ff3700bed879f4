import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { UpdateProgress } from "@ashlar/protocol";
import { asNoRoom, checkRoom } from "./file-room.ts";

const PART = ".part";

/**
 * Collects files in a directory, in which afterwards are exactly these. Until all are there each is a part, which an
 * interruption leaves and the next call takes up; a complete file is taken up as a part as well. Everything else in the
 * directory is removed.
 *
 * @param work fills and syncs the parts; it gets the path of each
 * @throws AshlarError `failed` when there is no room, after removing what had been collected; and what `work` throws
 */
export async function collectFiles<Name extends string, T>(
  directory: string,
  files: Readonly<Record<Name, { readonly name: string; readonly sizeBytes: number }>>,
  work: (parts: Readonly<Record<Name, string>>) => Promise<T>,
): Promise<T> {
  const wanted = Object.entries<{ readonly name: string; readonly sizeBytes: number }>(files);
  const partOf = (name: string): string => join(directory, name + PART);
  const names = wanted.map(([, { name }]) => name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await takeUpParts(directory, names);
  try {
    await checkRoom(
      directory,
      wanted.map(([, { name, sizeBytes }]) => ({ path: partOf(name), sizeBytes })),
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.fromEntries cannot say that it has every name
    const parts = Object.fromEntries(wanted.map(([key, { name }]) => [key, partOf(name)])) as Record<Name, string>;
    const result = await work(parts);
    for (const name of names) await rename(partOf(name), join(directory, name));
    await syncDirectory(directory);
    return result;
  } catch (error) {
    const full = asNoRoom(directory, error);
    if (full === undefined) throw error;
    for (const name of names) await rm(partOf(name), { force: true });
    throw full;
  }
}

/** Removes other files, and makes parts of these, which are checked again like any part. */
async function takeUpParts(directory: string, names: readonly string[]): Promise<void> {
  for (const name of await readdir(directory)) {
    if (names.includes(name)) await rename(join(directory, name), join(directory, name + PART));
    else if (!names.some((wanted) => name === wanted + PART)) await rm(join(directory, name), { recursive: true });
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}

/** Counts what comes from where, and says so. */
export class ProgressCounter {
  readonly #totalBytes: number;
  readonly #onProgress: ((progress: UpdateProgress) => void) | undefined;
  #copiedBytes = 0;
  #fetchedBytes = 0;

  constructor(totalBytes: number, onProgress: ((progress: UpdateProgress) => void) | undefined) {
    this.#totalBytes = totalBytes;
    this.#onProgress = onProgress;
  }

  readonly onCopied = (bytes: number): void => {
    this.#copiedBytes += bytes;
    this.#onProgress?.(this.progress);
  };

  readonly onFetched = (bytes: number): void => {
    this.#fetchedBytes += bytes;
    this.#onProgress?.(this.progress);
  };

  get progress(): UpdateProgress {
    return { totalBytes: this.#totalBytes, copiedBytes: this.#copiedBytes, fetchedBytes: this.#fetchedBytes };
  }
}
