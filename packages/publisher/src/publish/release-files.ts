import { hash } from "node:crypto";
import { rename, symlink } from "node:fs/promises";
import { resolve } from "node:path";
import { run } from "@ashlar/host";
import { writeBlocks } from "@ashlar/repository";
import { readTree } from "@ashlar/volumes";
import {
  releaseFileNames,
  summaryOf,
  type ReleaseFileKind,
  type PublishedFile,
  type ReleaseEntry,
} from "@ashlar/repository-index";
import type { TufSigner } from "@ashlar/keys";
import { expectedOfRelease } from "./expected-provenance.ts";
import { type BuiltImage, PROVENANCE_NAME } from "./image-directory.ts";
import { signProvenance } from "./provenance-file.ts";
import { PayloadFiles } from "./payload-files.ts";
import type { RepositoryFiles } from "./repository-files.ts";

/**
 * With several threads xz cuts its input into blocks of this size, whose bytes depend on nothing else: with one thread it
 * would make another file. Four threads on a machine with fewer processors take turns.
 */
const XZ_OPTIONS = ["--format=xz", "--threads=4", "--block-size=24MiB"];

/** xz's own default. The lowest takes a third of the time, and 6 % more room. */
const DEFAULT_COMPRESSION_LEVEL = 6;

/** Makes a release's files and puts each into `releases/` once it is whole. Nothing refers to them yet. */
export async function writeReleaseFiles(
  files: RepositoryFiles,
  image: BuiltImage,
  options: {
    readonly compressionLevel: number | undefined;
    /** Sign its provenance. */
    readonly signers: readonly TufSigner[];
    readonly signal?: AbortSignal | undefined;
    readonly onProgress: (step: string) => void;
  },
): Promise<ReleaseEntry> {
  const { manifest, usrPath, verityPath, ukiPath } = image;
  const { compressionLevel = DEFAULT_COMPRESSION_LEVEL, signal, onProgress } = options;
  const names = releaseFileNames(manifest);
  const payloads = new PayloadFiles(files, "releases", signal);
  const provenance = signedProvenance(image, options.signers);
  const compressed = async (kind: ReleaseFileKind, source: string): Promise<PublishedFile> => {
    onProgress(`compressing ${names[kind]}`);
    return await payloads.put(names[kind], async (path) => await compress(source, path, compressionLevel, signal));
  };
  const published = {
    manifest: await payloads.putBytes(names.manifest, image.manifestBytes),
    summary: await payloads.putBytes(names.summary, `${JSON.stringify(summaryOf(manifest), undefined, 2)}\n`),
    sbom: await payloads.putBytes(names.sbom, image.sbomBytes),
    ...(provenance !== undefined && { provenance: await payloads.putBytes(names.provenance, provenance) }),
    uki: await payloads.putCopy(names.uki, ukiPath),
    usrBlocks: await payloads.put(names.usrBlocks, async (out) => {
      onProgress(`writing ${names.usrBlocks}`);
      await writeBlocks({ dataPath: usrPath, tree: await readTree(verityPath), out, signal });
    }),
    ukiArchive: await compressed("ukiArchive", ukiPath),
    verityArchive: await compressed("verityArchive", verityPath),
    usrArchive: await compressed("usrArchive", usrPath),
  };
  return { version: manifest.version, files: published };
}

/** Before the long work: whether it is about this image. */
function signedProvenance(image: BuiltImage, signers: readonly TufSigner[]): string | undefined {
  const { manifest, manifestBytes, sbomBytes, provenance } = image;
  if (provenance === undefined) return undefined;
  const digests = { manifest: hash("sha256", manifestBytes), sbom: hash("sha256", sbomBytes) };
  const expected = expectedOfRelease(manifest, digests, sbomBytes.toString("utf8"));
  return signProvenance(PROVENANCE_NAME, provenance, expected, signers);
}

/** xz names its output after its input; `--force` lets the input be a link. */
async function compress(source: string, path: string, level: number, signal: AbortSignal | undefined): Promise<void> {
  await symlink(resolve(source), path);
  await run("xz", ["--compress", "--keep", "--force", `-${level}`, ...XZ_OPTIONS, path], { signal });
  await rename(`${path}.xz`, path);
}
