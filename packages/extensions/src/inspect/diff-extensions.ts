import { compareFiles, comparePackages, type FileDifference, type PackageDifference } from "@ashlar/inventory";
import { type ExtensionImage, readExtensionImage } from "./extension-image.ts";
import { readManifestBeside } from "./manifest-beside.ts";

export type ExtensionDifference = {
  readonly from: DifferenceSide;
  readonly to: DifferenceSide;
  /** Null when one of the images has no manifest beside it. */
  readonly packages: PackageDifference | null;
  readonly files: FileDifference;
};

type DifferenceSide = {
  readonly name: string;
  readonly version: string;
  readonly rootHash: string;
  readonly sizeBytes: number;
};

/**
 * Compares what two images hold.
 *
 * @throws AshlarError as `readExtensionImage` does, `untrusted` also for damaged blocks
 */
export async function diffExtensions(from: string, to: string): Promise<ExtensionDifference> {
  const [first, second] = [await readExtensionImage(from, "checked"), await readExtensionImage(to, "checked")];
  const [before, after] = [await readManifestBeside(from), await readManifestBeside(to)];
  return {
    from: sideOf(first),
    to: sideOf(second),
    packages: before === undefined || after === undefined ? null : comparePackages(before.packages, after.packages),
    files: compareFiles(first.files, second.files),
  };
}

function sideOf({ ddi, sizeBytes, content }: ExtensionImage): DifferenceSide {
  return { name: content.name, version: content.version, rootHash: ddi.signed.rootHash, sizeBytes };
}
