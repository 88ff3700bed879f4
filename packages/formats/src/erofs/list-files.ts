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
/** All directories together; a real `/usr` has 1 MB of them. */
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;
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
  let bytesLeft = MAX_DIRECTORY_BYTES;
  // The list grows while it is gone through: what is found is looked into in its turn.
  for (const { path, nid } of entries) {
    try {
      const inode = readInode(image, nid);
      if (inode.type !== "directory") continue;
      if (directories.has(nid)) throw new AshlarError("malformed", "expected a directory in one place, found it again");
      directories.add(nid);
      bytesLeft -= inode.sizeBytes;
      if (bytesLeft < 0) limit(`${MAX_DIRECTORY_BYTES} bytes of directories`);
      const parent = path === "/" ? "" : path;
      if (parent.split("/").length > MAX_DEPTH) limit(`${MAX_DEPTH} levels of directories`);
      for (const child of readDirectory(image, inode)) {
        if (entries.length === MAX_ENTRIES) limit(`${MAX_ENTRIES} files`);
        entries.push({ path: `${parent}/${child.name}`, nid: child.nid });
      }
    } catch (error) {
      if (!(error instanceof AshlarError) || error.code === "limit") throw error;
      unreadable.push({ path, reason: error.message });
    }
  }
  return { entries, unreadable };
}

function limit(most: string): never {
  throw new AshlarError("limit", `erofs: expected at most ${most}, found more`);
}
