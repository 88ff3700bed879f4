import { hash } from "node:crypto";
import { join } from "node:path";
import {
  type ArchiveOptions,
  archiveParameters,
  builderOf,
  type PackageArchive,
  packageMaterials,
} from "@ashlar/debian";
import { digestFile, hashDirectory } from "@ashlar/host";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import { BUILD_TYPES, makeProvenance, type Material } from "@ashlar/statements";
import type { ImageSecureBoot } from "./secure-boot.ts";
import { type ReleaseSource, trustedFilesOf } from "./release-source.ts";

export type ImageProvenance = {
  readonly options: ArchiveOptions & {
    readonly version: string;
    readonly addedTree?: string;
    readonly releaseSource?: ReleaseSource;
    readonly secureBoot?: ImageSecureBoot;
  };
  readonly builder: string;
  /** Of the packages that were built with and those that are in it. */
  readonly archives: readonly PackageArchive[];
  readonly sourceDateEpoch: number;
  /** The folder that says what a node is made of. */
  readonly osDirectory: string;
  /** The commit of Ashlar, where there is one. */
  readonly ownSource: readonly Material[];
  /** Of the program that nodes run. */
  readonly agent: readonly Material[];
  readonly manifest: ReleaseManifest;
  /** The directory with the image's files. */
  readonly result: string;
  readonly signal: AbortSignal | undefined;
};

/** What an image consists of. The disk is put together from these, and has nothing of its own. */
export const IMAGE_SUBJECTS = [
  "usr.erofs",
  "usr.verity",
  "uki.efi",
  "systemd-boot.efi",
  "sbom.cdx.json",
  "manifest.json",
] as const;

/** The text of provenance.json: how an image came about. */
export async function describeProvenance(image: ImageProvenance): Promise<string> {
  const { options, archives, sourceDateEpoch, manifest, signal } = image;
  const subjects = [];
  for (const name of IMAGE_SUBJECTS) {
    const { digest } = await digestFile(join(image.result, name), { signal });
    subjects.push({ name, sha256: digest });
  }
  const shipped = new Set(manifest.packages.map(({ name }) => name));
  const { version, addedTree, releaseSource, secureBoot } = options;
  return makeProvenance({
    buildType: BUILD_TYPES.image,
    externalParameters: {
      version,
      ...archiveParameters(options),
      ...(releaseSource?.url !== undefined && { releaseUrl: releaseSource.url }),
      ...(secureBoot !== undefined && { secureBootEnroll: secureBoot.enrolment }),
    },
    internalParameters: { sourceDateEpoch, commandLine: manifest.commandLine },
    builder: await builderOf(image.builder),
    subjects,
    materials: [
      ...packageMaterials(
        archives.filter(({ name }) => shipped.has(name)),
        "content",
      ),
      ...packageMaterials(
        archives.filter(({ name }) => !shipped.has(name)),
        "build",
      ),
      ...image.agent,
      ...image.ownSource,
      await sourceTree("os", image.osDirectory, signal),
      ...(addedTree === undefined ? [] : [await sourceTree("added-tree", addedTree, signal)]),
      ...(releaseSource === undefined ? [] : await keyMaterials(releaseSource.keys)),
      ...(secureBoot === undefined ? [] : secureBootMaterials(secureBoot)),
    ],
  });
}

async function sourceTree(name: string, directory: string, signal: AbortSignal | undefined): Promise<Material> {
  return { name, digest: { dirHash: await hashDirectory(directory, signal) }, annotations: { role: "source" } };
}

async function keyMaterials(directory: string): Promise<Material[]> {
  const materials: Material[] = [];
  for (const name of trustedFilesOf()) {
    const { digest: sha256 } = await digestFile(join(directory, name));
    materials.push({ name, digest: { sha256 }, annotations: { role: "key" } });
  }
  return materials;
}

/** The certificates; the one of db belongs to the key that has signed. */
function secureBootMaterials({ parts }: ImageSecureBoot): Material[] {
  return Object.entries(parts).map(([name, { certificate }]) => {
    const sha256 = hash("sha256", certificate.raw);
    return { name: `secure-boot-${name.toLowerCase()}.der`, digest: { sha256 }, annotations: { role: "key" } };
  });
}
