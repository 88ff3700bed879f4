import type { ManifestFile } from "@ashlar/protocol/answers";
import type { ExtensionManifest } from "@ashlar/protocol";
import { type ExtensionImage, readExtensionImage } from "./extension-image.ts";
import { readManifestBeside } from "./manifest-beside.ts";

export type ExtensionDifference = {
  readonly from: DifferenceSide;
  readonly to: DifferenceSide;
  /** Null when one of the images has no manifest beside it. */
  readonly packages: {
    readonly added: readonly Package[];
    readonly removed: readonly Package[];
    readonly changed: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  } | null;
  readonly files: {
    readonly added: readonly ManifestFile[];
    readonly removed: readonly ManifestFile[];
    readonly changed: readonly { readonly path: string; readonly from: ManifestFile; readonly to: ManifestFile }[];
  };
};

type DifferenceSide = {
  readonly name: string;
  readonly version: string;
  readonly rootHash: string;
  readonly sizeBytes: number;
};

type Package = ExtensionManifest["packages"][number];

/**
 * Compares what two images hold.
 *
 * @throws AshlarError as `readExtensionImage` does, `untrusted` also for damaged blocks
 */
export async function diffExtensions(from: string, to: string): Promise<ExtensionDifference> {
  const [first, second] = [await readExtensionImage(from, "checked"), await readExtensionImage(to, "checked")];
  const [before, after] = [await readManifestBeside(from), await readManifestBeside(to)];
  const files = compare(first.files, second.files, ({ path }) => path);
  return {
    from: sideOf(first),
    to: sideOf(second),
    packages: before === undefined || after === undefined ? null : comparePackages(before.packages, after.packages),
    files: { ...files, changed: files.changed.map(([old, now]) => ({ path: now.path, from: old, to: now })) },
  };
}

function sideOf({ ddi, sizeBytes, content }: ExtensionImage): DifferenceSide {
  return { name: content.name, version: content.version, rootHash: ddi.signed.rootHash, sizeBytes };
}

function comparePackages(
  before: readonly Package[],
  after: readonly Package[],
): NonNullable<ExtensionDifference["packages"]> {
  const { added, removed, changed } = compare(before, after, ({ name, architecture }) => `${name}:${architecture}`);
  return {
    added,
    removed,
    changed: changed.map(([old, now]) => ({ name: now.name, from: old.version, to: now.version })),
  };
}

type Comparison<T> = {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly changed: readonly (readonly [before: T, after: T])[];
};

function compare<T>(before: readonly T[], after: readonly T[], keyOf: (each: T) => string): Comparison<T> {
  const [old, now] = [before, after].map((all) => new Map(all.map((each) => [keyOf(each), each])));
  return {
    added: after.filter((each) => old?.has(keyOf(each)) !== true),
    removed: before.filter((each) => now?.has(keyOf(each)) !== true),
    changed: before.flatMap((each) => {
      const other = now?.get(keyOf(each));
      return other === undefined || JSON.stringify(other) === JSON.stringify(each) ? [] : [[each, other] as const];
    }),
  };
}
