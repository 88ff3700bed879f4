import type { Group } from "@ashlar/audit";

export type Artefact = { readonly path: string; readonly sizeBytes: number; readonly nodes: number };
export type Artefacts = { readonly files: readonly Artefact[]; readonly sizeBytes: number; readonly nodes: number };

/** Files that no package has brought and the first group does not have; the size is that of all nodes together. */
export function findArtefacts(groups: readonly Group[]): Artefacts {
  const files = new Map<string, Artefact>();
  let sizeBytes = 0;
  let nodes = 0;
  for (const group of groups) {
    const left = group.causes.unowned.filter(({ here, there }) => here?.type === "file" && there === undefined);
    if (left.length > 0) nodes += group.nodes.length;
    for (const { path, here } of left) {
      const size = here?.sizeBytes ?? 0;
      sizeBytes += size * group.nodes.length;
      const before = files.get(path) ?? { path, sizeBytes: 0, nodes: 0 };
      files.set(path, { path, sizeBytes: Math.max(before.sizeBytes, size), nodes: before.nodes + group.nodes.length });
    }
  }
  const largest = [...files.values()].toSorted(
    (left, right) => right.sizeBytes - left.sizeBytes || (left.path < right.path ? -1 : 1),
  );
  return { files: largest, sizeBytes, nodes };
}
