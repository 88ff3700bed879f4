import { createHash } from "node:crypto";
import { mkdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type Json } from "@ashlar/base";
import { cacheDirectory, withLock } from "@ashlar/host";

/**
 * Gives the directory that holds the results of a build step: from the user's cache when a step with the same name and
 * inputs has run before, else from `build`, which fills an empty directory. A step that fails leaves nothing in the cache.
 *
 * @param inputs everything that the result depends on
 */
export async function cachedStep(
  name: string,
  inputs: Json,
  build: (directory: string) => Promise<void>,
): Promise<{ readonly directory: string; readonly cached: boolean }> {
  const key = createHash("sha256").update(canonicalJson(inputs)).digest("hex").slice(0, 32);
  const parent = join(cacheDirectory(), "image");
  const directory = join(parent, `${name}-${key}`);
  await mkdir(parent, { recursive: true });
  const what = `the build step ${name}`;
  return await withLock(`${directory}.lock`, { what, holder: "a build", waitMs: MAX_WAIT_MS }, async () => {
    if ((await stat(directory).catch(() => undefined)) !== undefined) {
      // The time of last use, for whoever cleans the cache.
      await utimes(directory, new Date(), new Date());
      return { directory, cached: true };
    }
    const unfinished = `${directory}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished);
    try {
      await build(unfinished);
      await rename(unfinished, directory);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      throw error;
    }
    return { directory, cached: false };
  });
}

/** Another process that builds the same step: longer than the slowest step takes. */
const MAX_WAIT_MS = 20 * 60_000;
