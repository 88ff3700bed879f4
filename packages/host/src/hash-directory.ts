import { hash } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { digestFile } from "./digest-file.ts";
import { directoryHash } from "./directory-hash.ts";

/** `name` is what counts of a path: relative, with slashes. */
export type NamedPath = { readonly name: string; readonly path: string };

/**
 * Reads files for `directoryHash`.
 *
 * @throws AshlarError `not-found`, `failed`, `interrupted`; `invalid` for a name with a line feed
 */
export async function hashFiles(files: readonly NamedPath[], signal?: AbortSignal): Promise<string> {
  const entries: { name: string; sha256: string }[] = [];
  for (const { name, path } of files) entries.push({ name, sha256: (await digestFile(path, { signal })).digest });
  return directoryHash(entries);
}

/**
 * The same over a directory's files, at any depth. A link counts as a file that holds its target, and is not followed.
 *
 * @throws AshlarError as {@link hashFiles}
 */
export async function hashDirectory(directory: string, signal?: AbortSignal): Promise<string> {
  const entries: { name: string; sha256: string }[] = [];
  for await (const { name, entry } of walk(directory, "")) {
    const path = join(directory, name);
    if (entry.isFile()) entries.push({ name, sha256: (await digestFile(path, { signal })).digest });
    else if (entry.isSymbolicLink()) entries.push({ name, sha256: hash("sha256", await readlink(path)) });
  }
  return directoryHash(entries);
}

async function* walk(top: string, below: string): AsyncGenerator<{ readonly name: string; readonly entry: Dirent }> {
  for (const entry of await readdir(join(top, below), { withFileTypes: true })) {
    const name = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(top, name);
    else yield { name, entry };
  }
}
