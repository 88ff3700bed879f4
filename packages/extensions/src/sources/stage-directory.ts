import { rm, stat } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { NO_BEHAVIOUR } from "@ashlar/protocol";
import type { StagedTree } from "./staged-tree.ts";

/**
 * Puts a directory's files into the tree: as hard links where that can be, since they are only read.
 *
 * @throws AshlarError `not-found`, `failed`
 */
export async function stageDirectory(directory: string, tree: string, signal?: AbortSignal): Promise<StagedTree> {
  const source = await stat(directory).catch(() => undefined);
  if (source?.isDirectory() !== true)
    throw new AshlarError("not-found", `${directory}: expected a directory, found none`);
  const copy = async (...how: readonly string[]): Promise<void> =>
    void (await run("cp", ["--archive", ...how, "--", `${directory}/.`, tree], { signal }));
  try {
    await copy("--link");
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code !== "failed") throw error;
    // On another file system.
    await rm(tree, { recursive: true });
    await copy("--reflink=auto");
  }
  return {
    packages: [],
    materials: "tree",
    leftOut: [],
    ownerOf: () => undefined,
    behaviour: NO_BEHAVIOUR,
    version: null,
  };
}
