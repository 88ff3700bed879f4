import { matchesGlob } from "node:path/posix";
import { AshlarError } from "@ashlar/base";
import type { ManifestFile } from "@ashlar/protocol/answers";
import type { ExtensionKind } from "@ashlar/protocol";
import type { TreeEntry } from "./check-tree.ts";

/** Where an image keeps what becomes /etc at each boot. */
const FACTORY_ETC = "/usr/share/factory";

export type Replaced = {
  /** A file or link of the base. */
  readonly basePath: string;
  /** What is in its way: itself, or something that hides the directory it is in. */
  readonly path: string;
};

/** Files of the base that would not be seen any more where the extension is merged. */
export function findReplaced(
  kind: ExtensionKind,
  entries: readonly TreeEntry[],
  baseFiles: readonly ManifestFile[],
): readonly Replaced[] {
  const types = new Map(entries.map(({ path, type }) => [path, type]));
  return baseFiles.flatMap(({ path: own }) => {
    const basePath = kind === "confext" && own.startsWith(`${FACTORY_ETC}/etc/`) ? own.slice(FACTORY_ETC.length) : own;
    const parts = basePath.split("/").slice(1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = `/${parts.slice(0, depth).join("/")}`;
      const type = types.get(path);
      if (type === undefined) return [];
      // A directory where the base has one, too, is merged with it.
      if (type !== "directory" || depth === parts.length) return [{ basePath, path }];
    }
    return [];
  });
}

/** What may be replaced of what is in the tree: all that can be said when nothing is known of the base. */
export function findAllowed(entries: readonly TreeEntry[], allowed: readonly string[]): readonly string[] {
  return entries.flatMap(({ path, type }) => (type !== "directory" && isAllowed(path, allowed) ? [path] : []));
}

function isAllowed(path: string, allowed: readonly string[]): boolean {
  return allowed.some((glob) => matchesGlob(path, glob));
}

/**
 * Checks that only what may be replaced is.
 *
 * @param allowed globs of paths
 * @param ownerOf names where a path comes from, for example a Debian package
 * @returns the paths of the base that are replaced
 * @throws AshlarError `conflict`, naming both sides
 */
export function checkReplaced(
  replaced: readonly Replaced[],
  allowed: readonly string[],
  ownerOf: (path: string) => string | undefined,
): readonly string[] {
  const refused = replaced.filter(({ basePath }) => !isAllowed(basePath, allowed));
  const [first] = refused;
  if (first === undefined) return replaced.map(({ basePath }) => basePath);
  const owner = ownerOf(first.path);
  const what = owner === undefined ? first.path : `${first.path} of ${owner}`;
  const more = refused.length > 1 ? `, and ${refused.length - 1} more` : "";
  throw new AshlarError("conflict", `${what} would replace the base's ${first.basePath}${more}`, {
    hint: `leave it out, or allow it with --replaces ${first.basePath}`,
  });
}
