import { lstatSync } from "node:fs";
import { join } from "node:path";
import { type AcceptedImage, describeFiles } from "../extensions/accept-image.ts";

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
 * another extension that is not the same in both. Directories join.
 *
 * @param others what is merged beside it
 * @returns the reason in one sentence, or undefined
 * @throws AshlarError when a file that two images have cannot be read
 */
export function findConflict(
  image: AcceptedImage,
  lookUp: LookUp,
  others: readonly AcceptedImage[],
): string | undefined {
  const { kind, name, entries, behaviour } = image;
  const replaces = new Set(behaviour.replaces);
  for (const { path, type } of entries) {
    const below = lookUp(path);
    if (below === undefined || (below === "directory" && type === "directory")) continue;
    if (below === "directory" || type === "directory")
      return `it has a ${type} at ${path}, where the base has a ${below}`;
    if (!replaces.has(path)) return `it would hide ${path} of the base without saying so in its "replaces"`;
  }
  for (const other of others) {
    if (other.kind !== kind || other.name === name) continue;
    const path = findDifference(image, other);
    if (path !== undefined) return `it has another ${path} than the extension ${other.name}`;
  }
  return undefined;
}

/** The first path that two images have, but not alike. Of two that come from Debian packages both may have a library. */
function findDifference(image: AcceptedImage, other: AcceptedImage): string | undefined {
  const types = new Map(image.entries.map(({ path, type }) => [path, type]));
  const isJoined = (path: string, type: EntryType): boolean => type === "directory" && types.get(path) === type;
  const shared = other.entries.filter(({ path, type }) => types.has(path) && !isJoined(path, type));
  if (shared.length === 0) return undefined;
  const paths = new Set(shared.map(({ path }) => path));
  const [ours, theirs] = [describeFiles(image, paths), describeFiles(other, paths)];
  return [...paths].find((path) => ours.get(path) !== theirs.get(path));
}
