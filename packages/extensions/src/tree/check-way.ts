import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { isMissing, kindOf } from "@ashlar/host";

/**
 * Refuses a path in a tree of somebody else's making that does not lead through directories only, so that nothing is
 * written, read or removed outside of the tree. What is missing can be made.
 *
 * @param whose begins the message
 * @throws AshlarError `invalid`
 */
export async function checkWay(tree: string, path: string, whose: string): Promise<void> {
  let way = "";
  for (const name of path.split("/").filter((part) => part !== "")) {
    way += `/${name}`;
    const found = await statOf(join(tree, way));
    if (found === undefined) return;
    if (!found.isDirectory()) throw refused(whose, "a directory", way, found);
  }
}

/**
 * The same for a file: what is there is a file, and no link.
 *
 * @throws AshlarError `invalid`
 */
export async function checkWayToFile(tree: string, path: string, whose: string): Promise<void> {
  await checkWay(tree, path.slice(0, path.lastIndexOf("/") + 1), whose);
  const found = await statOf(join(tree, path));
  if (found !== undefined && !found.isFile()) throw refused(whose, "a file", path, found);
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function refused(whose: string, expected: string, path: string, found: Stats): AshlarError {
  return new AshlarError("invalid", `${whose}: expected ${expected} at ${path}, found ${kindOf(found)}`);
}
