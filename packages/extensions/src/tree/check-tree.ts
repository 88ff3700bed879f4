import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, firstOf } from "@ashlar/base";
import type { ExtensionKind } from "@ashlar/protocol";

export type TreeEntry = {
  /** Absolute, as on the node. */
  readonly path: string;
  readonly type: "file" | "directory" | "link";
};

/** What systemd merges of each kind. */
export const TREES: Readonly<Record<ExtensionKind, readonly string[]>> = { sysext: ["usr", "opt"], confext: ["etc"] };

const MAX_ENTRIES = 200_000;
const MAX_BYTES: number = 4 * 2 ** 30;
const MAX_NAMED = 5;
const SET_ID_BITS = 0o6000;

/**
 * Lists a tree, and refuses what an extension cannot or must not hold. What is wrong is named, up to five of a kind.
 *
 * @throws AshlarError `invalid`, `limit`
 */
export async function checkTree(tree: string, kind: ExtensionKind): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const wrong = new Map<string, string[]>();
  const complain = (what: string, path: string): void => void wrong.set(what, [...(wrong.get(what) ?? []), path]);
  let sizeBytes = 0;
  let count = 0;
  for await (const { path, entry } of walk(tree, "")) {
    if (++count > MAX_ENTRIES) throw new AshlarError("limit", `${tree}: expected at most ${MAX_ENTRIES} files`);
    const [, top = ""] = path.split("/");
    if (!TREES[kind].includes(top)) {
      if (!entry.isDirectory())
        complain(`only files below ${TREES[kind].map((each) => `/${each}`).join(" and ")} in a ${kind}`, path);
      continue;
    }
    const type = typeOf(entry);
    if (type === undefined) {
      complain("only files, directories and links", path);
      continue;
    }
    const { mode, size } = await lstat(join(tree, path));
    if (type === "file" && (mode & SET_ID_BITS) !== 0) complain("no set-user-ID or set-group-ID files", path);
    if (type === "file") sizeBytes += size;
    entries.push({ path, type });
    if (sizeBytes > MAX_BYTES) throw new AshlarError("limit", `${tree}: expected at most ${MAX_BYTES} bytes of files`);
  }
  const [first] = wrong;
  if (first !== undefined) throw new AshlarError("invalid", `expected ${first[0]}, found ${named(first[1])}`);
  if (entries.length === 0) throw new AshlarError("invalid", `${tree}: expected files, found none`);
  return entries;
}

/** The first few of many. */
export function named(paths: readonly string[]): string {
  return firstOf(paths, MAX_NAMED);
}

function typeOf(entry: Dirent): TreeEntry["type"] | undefined {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "link" : undefined;
}

/** Everything below a directory that an extension can hold. */
export async function listTree(tree: string): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  for await (const { path, entry } of walk(tree, "")) {
    const type = typeOf(entry);
    if (type !== undefined) entries.push({ path, type });
  }
  return entries;
}

/** Everything below a directory, each directory before what it holds; links are not followed. */
async function* walk(tree: string, parent: string): AsyncGenerator<{ readonly path: string; readonly entry: Dirent }> {
  const found = await readdir(join(tree, parent), { withFileTypes: true });
  for (const entry of found.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${parent}/${entry.name}`;
    yield { path, entry };
    if (entry.isDirectory()) yield* walk(tree, path);
  }
}
