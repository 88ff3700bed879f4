import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  keepNewestExtensions,
  sortedExtensions,
  keepNewest,
  extensionDirectory,
  type RepositoryIndex,
} from "@ashlar/repository-index";
import { changeIndex, type ChangeOptions, type IndexChange } from "./change-index.ts";
import type { RepositoryFiles } from "./repository-files.ts";
import { LISTING_NAMES } from "./sums-directories.ts";

export type GarbageResult = {
  /** What is not in the repository any more: versions of releases, or `NAME VERSION` of extensions. */
  readonly removed: readonly string[];
  readonly freedBytes: number;
};

/** Removes all but the newest releases and those that a channel points at, with everything that nothing refers to. */
export async function collectGarbage(options: ChangeOptions & { readonly keep: number }): Promise<GarbageResult> {
  return await changeIndex(options, "ashlar release gc", async (current, files) => {
    const index = keepNewest(current, options.keep);
    const removed = [...current.releases.keys()].filter((version) => !index.releases.has(version));
    return removing(files, index, removed);
  });
}

/** Removes all but the newest versions of each extension's tracks, with everything that nothing refers to. */
export async function collectExtensionGarbage(
  options: ChangeOptions & { readonly keep: number },
): Promise<GarbageResult> {
  return await changeIndex(options, "ashlar extension gc", async (current, files) => {
    const index = keepNewestExtensions(current, options.keep);
    const removed = sortedExtensions(current)
      .filter(({ name, version }) => index.extensions.get(name)?.has(version) !== true)
      .map(({ name, version }) => `${name} ${version}`);
    return removing(files, index, removed);
  });
}

function removing(
  files: RepositoryFiles,
  index: RepositoryIndex,
  removed: readonly string[],
): IndexChange<GarbageResult> {
  const finish = async (): Promise<GarbageResult> => {
    const freedBytes = await removeUnreferenced(files, index);
    await removeOldMetadata(files);
    return { removed, freedBytes };
  };
  return { index, finish };
}

async function removeUnreferenced(files: RepositoryFiles, index: RepositoryIndex): Promise<number> {
  const releases = [...index.releases.values()].flatMap((each) => Object.values(each.files)).map(({ name }) => name);
  let freedBytes = await removeAllBut(files, "releases", releases);
  for (const entry of await readdir(files.path("extensions"), { withFileTypes: true })) {
    const directory = extensionDirectory(entry.name);
    const versions = [...(index.extensions.get(entry.name)?.values() ?? [])];
    const referenced = versions.flatMap((each) => Object.values(each.files)).map((file) => file.name);
    const kept = versions.length > 0 ? [...referenced, ...LISTING_NAMES] : [];
    if (entry.isDirectory()) freedBytes += await removeAllBut(files, directory, kept);
    if (versions.length === 0) await rm(files.path(directory), { recursive: true });
  }
  return freedBytes;
}

async function removeAllBut(files: RepositoryFiles, directory: string, names: readonly string[]): Promise<number> {
  const kept = new Set(names);
  let freedBytes = 0;
  for (const name of await readdir(files.path(directory))) {
    if (kept.has(name)) continue;
    const path = files.path(join(directory, name));
    freedBytes += (await lstat(path)).size;
    await rm(path, { recursive: true });
  }
  return freedBytes;
}

/** Readers that have begun may still want the state before: some of them stay. Roots stay for ever: they are a chain. */
async function removeOldMetadata(files: RepositoryFiles): Promise<void> {
  for (const kind of ["targets", "snapshot"]) {
    const versions = (await readdir(files.path("metadata")))
      .filter((name) => name.endsWith(`.${kind}.json`))
      .map((name) => Number.parseInt(name, 10))
      .toSorted((a, b) => b - a);
    for (const version of versions.slice(KEPT_METADATA)) await rm(files.path("metadata", `${version}.${kind}.json`));
  }
}

const KEPT_METADATA = 10;
