import { readdir } from "node:fs/promises";
import { messageOf } from "@ashlar/base";
import { isMissing } from "@ashlar/host";
import type { ExtensionPaths } from "../shared/node-paths.ts";
import { dropCaches } from "../slots/scrub.ts";
import { readWholeImage } from "./accept-image.ts";
import { imagePath, storedVersions } from "./store.ts";

/** What was found when every block of an image in the store was read. */
export type ScrubbedImage = { readonly path: string; readonly problem: string | null };

export async function scrubImages(paths: Pick<ExtensionPaths, "store">): Promise<ScrubbedImage[]> {
  const found: ScrubbedImage[] = [];
  for (const name of await namesIn(paths.store)) {
    for (const version of await storedVersions(paths, name)) {
      const path = imagePath(paths, name, version);
      await dropCaches([path]);
      found.push({ path, problem: findProblem(path) });
    }
  }
  return found;
}

function findProblem(path: string): string | null {
  try {
    const damaged = readWholeImage(path);
    return damaged.length === 0 ? null : `damaged blocks: ${damaged.join(", ")}`;
  } catch (error) {
    return messageOf(error);
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
