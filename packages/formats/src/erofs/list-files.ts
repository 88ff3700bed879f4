import { AshlarError } from "@ashlar/base";
import { readDirectory } from "./directory.ts";
import type { ErofsImage } from "./image.ts";
import { readInode } from "./inode.ts";

/** A file of any type; `path` is absolute within the file system. Hard links have the same `nid`. */
export type ErofsEntry = { readonly path: string; readonly nid: number };

export type ErofsListing = {
  readonly entries: readonly ErofsEntry[];
  /** Directories that could not be read, with what they would have held missing from `entries`. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
};

const MAX_ENTRIES = 200_000;
const MAX_DEPTH = 64;

/**
 * Lists all files, the root directory first and each directory before what it holds. Whatever is wrong with one directory
 * is noted and the others are read all the same.
 *
 * @throws AshlarError `limit`
 */
export function listErofs(image: ErofsImage): ErofsListing {
  const entries: ErofsEntry[] = [{ path: "/", nid: image.rootNid }];
  const unreadable: { path: string; reason: string }[] = [];
  const directories = new Set<number>();
  // The list grows while it is gone through: what is found is looked into in its turn.
  for (const { path, nid } of entries) {
    try {
      const inode = readInode(image, nid);
      if (inode.type !== "directory") continue;
      if (directories.has(nid)) throw new AshlarError("malformed", "expected a directory in one place, found it again");
      directories.add(nid);
      const parent = path === "/" ? "" : path;
      if (depthOf(path) > MAX_DEPTH) throw new AshlarError("malformed", `expected at most ${MAX_DEPTH} levels`);
      for (const child of readDirectory(image, inode)) {
        entries.push({ path: `${parent}/${child.name}`, nid: child.nid });
        if (entries.length > MAX_ENTRIES) break;
      }
    } catch (error) {
      if (!(error instanceof AshlarError)) throw error;
      unreadable.push({ path, reason: error.message });
    }
    if (entries.length > MAX_ENTRIES) {
      throw new AshlarError("limit", `erofs: expected at most ${MAX_ENTRIES} files, found more`);
    }
  }
  return { entries, unreadable };
}

function depthOf(path: string): number {
  return path.split("/").length - 1;
}
