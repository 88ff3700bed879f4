import { AshlarError } from "@ashlar/base";

/**
 * The files that a config may embed. Paths are relative to the directory of local files, normal (no `.`, `..` or empty
 * part; the directory itself is the empty path) and cannot leave it. How they are read, from a disk or from memory, is
 * up to the caller; problems are thrown as AshlarError.
 */
export type LocalFiles = {
  /** What is at a path; an error if nothing is. A link as the last part is not followed. */
  readonly look: (path: string) => LocalEntry;
  /** The bytes of a file, at most `MAX_LOCAL_FILE_BYTES`. */
  readonly read: (path: string) => Uint8Array;
  /** The names in a directory, in any order. */
  readonly list: (path: string) => readonly string[];
  /** Whether links on the way to what a path leads to, or there, lead out of the directory. They are followed all the same. */
  readonly leadsOut?: (path: string) => boolean;
};

export type LocalEntry = {
  readonly kind: "file" | "directory" | "link" | "other";
  /** Whether anybody may execute the file. */
  readonly executable?: boolean;
  /** Where a link points. */
  readonly target?: string;
  /** Whether a link ends, over other links, at a directory. */
  readonly leadsToDirectory?: boolean;
};

export const MAX_LOCAL_FILE_BYTES: number = 16 * 1024 * 1024;
/** All files of a config together. Much less fits any provider's user data; more would not fit memory. */
export const MAX_LOCAL_BYTES: number = 128 * 1024 * 1024;
export const MAX_TREE_ENTRIES = 10_000;
/** Directories inside each other. */
export const MAX_TREE_DEPTH = 64;

/** Files that are in memory already, by path; for browsers and tests. */
export function filesFromMap(contents: ReadonlyMap<string, string | Uint8Array>): LocalFiles {
  const files = new Map([...contents].map(([path, bytes]) => [normalPath(path) ?? path, bytes] as const));
  const isDirectory = (path: string): boolean =>
    path === "" || files.keys().some((file) => file.startsWith(`${path}/`));
  const look = (path: string): LocalEntry => {
    if (files.has(path)) return { kind: "file" };
    if (isDirectory(path)) return { kind: "directory" };
    throw new AshlarError("not-found", `expected a local file ${path}, found none`);
  };
  return {
    look,
    read: (path) => {
      const bytes = files.get(path);
      if (bytes === undefined) throw new AshlarError("not-found", `expected a local file ${path}, found none`);
      return typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    },
    list: (path) => {
      const prefix = path === "" ? "" : `${path}/`;
      const below = [...files.keys()].filter((file) => file.startsWith(prefix));
      const names = new Set(below.map((file) => file.slice(prefix.length).split("/")[0] ?? ""));
      return [...names];
    },
  };
}

/** The same files, of which only so many bytes can be read. */
export function limited(files: LocalFiles): LocalFiles {
  let left = MAX_LOCAL_BYTES;
  return {
    ...files,
    read: (path) => {
      const bytes = files.read(path);
      left -= bytes.length;
      if (left >= 0 && bytes.length <= MAX_LOCAL_FILE_BYTES) return bytes;
      const limit =
        left < 0 ? `${MAX_LOCAL_BYTES} bytes in all local files` : `${MAX_LOCAL_FILE_BYTES} bytes in a file`;
      throw new AshlarError("limit", `expected at most ${limit}, found more at ${path}`);
    },
  };
}

/** The normal form of a path that the user wrote; `undefined` if it leads out of the directory. */
export function normalPath(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}
