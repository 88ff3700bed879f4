import type { ManifestFile, ManifestPackage } from "@ashlar/protocol/answers";

/** What of two lists is in one of them alone, and what is in both and differs. */
export type ListDifference<T> = {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly changed: readonly (readonly [before: T, after: T])[];
};

export type PackageDifference = {
  readonly added: readonly ManifestPackage[];
  readonly removed: readonly ManifestPackage[];
  readonly changed: readonly { readonly name: string; readonly from: string; readonly to: string }[];
};

export type FileDifference = {
  readonly added: readonly ManifestFile[];
  readonly removed: readonly ManifestFile[];
  readonly changed: readonly { readonly path: string; readonly from: ManifestFile; readonly to: ManifestFile }[];
};

/** Packages by name and architecture. One whose version is the same is not told of. */
export function comparePackages(
  before: readonly ManifestPackage[],
  after: readonly ManifestPackage[],
): PackageDifference {
  const { added, removed, changed } = compareLists(
    before,
    after,
    ({ name, architecture }) => `${name}:${architecture}`,
  );
  const versions = changed.map(([old, now]) => ({ name: now.name, from: old.version, to: now.version }));
  return { added, removed, changed: versions.filter(({ from, to }) => from !== to) };
}

/** Files and links by path. */
export function compareFiles(before: readonly ManifestFile[], after: readonly ManifestFile[]): FileDifference {
  const { added, removed, changed } = compareLists(before, after, ({ path }) => path);
  return { added, removed, changed: changed.map(([old, now]) => ({ path: now.path, from: old, to: now })) };
}

function compareLists<T>(before: readonly T[], after: readonly T[], keyOf: (each: T) => string): ListDifference<T> {
  const old = new Map(before.map((each) => [keyOf(each), each]));
  const now = new Map(after.map((each) => [keyOf(each), each]));
  return {
    added: after.filter((each) => !old.has(keyOf(each))),
    removed: before.filter((each) => !now.has(keyOf(each))),
    changed: before.flatMap((each) => {
      const other = now.get(keyOf(each));
      return other === undefined || JSON.stringify(other) === JSON.stringify(each) ? [] : [[each, other] as const];
    }),
  };
}
