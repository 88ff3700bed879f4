import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import type { ExtensionEntry } from "./extension-entry.ts";
import type { RepositoryIndex } from "./repository-index.ts";

/** What the commands change of extensions, as functions from an index to the next one. */

export function addExtension(index: RepositoryIndex, entry: ExtensionEntry): RepositoryIndex {
  const versions = new Map(index.extensions.get(entry.name)).set(entry.version, entry);
  return { ...index, extensions: new Map(index.extensions).set(entry.name, versions) };
}

/** @throws AshlarError `not-found` */
export function withdrawExtension(
  index: RepositoryIndex,
  { name, version }: { readonly name: string; readonly version: string },
  { reason, at }: { readonly reason: string; readonly at: string },
): RepositoryIndex {
  const entry = findExtension(index, name, version);
  return addExtension(index, { ...entry, withdrawn: { reason, at: entry.withdrawn?.at ?? at } });
}

/** @throws AshlarError `not-found`, with what there is */
export function findExtension(index: RepositoryIndex, name: string, version: string): ExtensionEntry {
  const entry = extensionVersions(index, name).find((each) => each.version === version);
  if (entry !== undefined) return entry;
  const known = extensionVersions(index, name).map((each) => each.version);
  throw new AshlarError("not-found", `the repository has no version ${version} of extension ${name}`, {
    hint: `its versions are ${known.slice(0, 10).join(", ")}`,
  });
}

/**
 * The versions of an extension, the newest first.
 *
 * @throws AshlarError `not-found`, with the extensions that there are
 */
export function extensionVersions(index: RepositoryIndex, name: string): readonly ExtensionEntry[] {
  const versions = index.extensions.get(name);
  if (versions !== undefined) return newestFirst(versions.values());
  const known = [...index.extensions.keys()].toSorted();
  throw new AshlarError("not-found", `the repository has no extension ${name}`, {
    hint: known.length === 0 ? "it has none yet" : `its extensions are ${known.slice(0, 20).join(", ")}`,
  });
}

/** All of them: by name, the newest first. */
export function sortedExtensions(index: RepositoryIndex): readonly ExtensionEntry[] {
  return [...index.extensions.keys()].toSorted().flatMap((name) => extensionVersions(index, name));
}

/** A component and a minor version of it, for example `kubernetes-v1.33`: what a node follows with one transfer file. */
export function trackOf({ name, version }: { readonly name: string; readonly version: string }): string {
  // What is behind + tells builds of one version apart.
  const [plain = ""] = version.split("+", 1);
  return `${name}-${plain.split(".", 2).join(".")}`;
}

/** Keeps the newest versions of each track. One that was withdrawn stays only while it is newer than the last of those. */
export function keepNewestExtensions(index: RepositoryIndex, count: number): RepositoryIndex {
  const left = new Map<string, number>();
  const kept = sortedExtensions(index).filter((entry) => {
    const room = left.get(trackOf(entry)) ?? count;
    if (entry.withdrawn === undefined) left.set(trackOf(entry), room - 1);
    return room > 0;
  });
  return kept.reduce(addExtension, { ...index, extensions: new Map() });
}

function newestFirst(versions: Iterable<ExtensionEntry>): readonly ExtensionEntry[] {
  return [...versions].toSorted((a, b) => compareVersions(b.version, a.version));
}
