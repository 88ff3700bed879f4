/** What a module's go.mod says about modules in directories of its own source tree (Go Modules Reference, "replace directive"). */
const LOCAL = /^(?:replace)?\s*(?<path>[\w./~-]+) => \.\/(?<directory>[\w./-]+)$/gmu;

/** Module paths with the directories, relative to the go.mod, that stand for them. */
export function localReplacements(goMod: string): ReadonlyMap<string, string> {
  const found = goMod
    .matchAll(LOCAL)
    .map(({ groups }) => [groups?.["path"] ?? "", groups?.["directory"] ?? ""] as const);
  return new Map(found.filter(([, directory]) => !directory.split("/").includes("..")));
}

/**
 * The go.mod of such a module as it is in the source tree: as published, it requires its siblings at the version that they
 * were published with, in the tree at v0.0.0. As in the tree, paths inside the programs do not change with each version,
 * and so fewer blocks do.
 */
export function withoutSiblingVersions(goMod: string, siblings: readonly string[]): string {
  const names = new Set(siblings);
  return goMod.replaceAll(
    /^(?<start>(?:require)?\s*)(?<path>[\w./~-]+) v[\w.+-]+/gmu,
    (line, start: string, path: string) => (names.has(path) ? `${start}${path} v0.0.0` : line),
  );
}

/** Stands for a sibling that no program needs. */
export function emptyModule(path: string): string {
  return `module ${path}\n`;
}
