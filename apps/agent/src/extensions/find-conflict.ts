import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { AcceptedImage } from "./accept-image.ts";

type EntryType = AcceptedImage["entries"][number]["type"];

/** What is below an absolute path of the base image; undefined when nothing is. */
export type LookUp = (path: string) => EntryType | undefined;

/** @param base /usr, /opt and /etc without what is merged over them */
export function lookUpIn(base: string): LookUp {
  return (path) => {
    const found = lstatSync(join(base, path), { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    return found.isDirectory() ? "directory" : found.isSymbolicLink() ? "link" : "file";
  };
}

/**
 * Whether an image would hide what it must not: a file of the base image that it does not say it replaces, or a file of
 * another extension. Directories join; nothing else does.
 *
 * @param others what is merged beside it
 * @returns the reason in one sentence, or undefined
 */
export function findConflict(
  { kind, name, entries, behaviour }: AcceptedImage,
  lookUp: LookUp,
  others: readonly AcceptedImage[],
): string | undefined {
  const replaces = new Set(behaviour.replaces);
  for (const { path, type } of entries) {
    const below = lookUp(path);
    if (below === undefined || (below === "directory" && type === "directory")) continue;
    if (below === "directory" || type === "directory")
      return `it has a ${type} at ${path}, where the base has a ${below}`;
    if (!replaces.has(path)) return `it would hide ${path} of the base without saying so in its "replaces"`;
  }
  const types = new Map(entries.map(({ path, type }) => [path, type]));
  for (const other of others) {
    if (other.kind !== kind || other.name === name) continue;
    const shared = other.entries.find(
      ({ path, type }) => types.has(path) && !(type === "directory" && types.get(path) === "directory"),
    );
    if (shared !== undefined) return `it has ${shared.path}, as the extension ${other.name} has`;
  }
  return undefined;
}
