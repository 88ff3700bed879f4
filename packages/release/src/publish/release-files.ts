import { copyFile, open, rename, symlink } from "node:fs/promises";
import { resolve } from "node:path";
import { run } from "@ashlar/host";
import { writeBlocks } from "../blocks/write-blocks.ts";
import { releaseFileNames, type ReleaseFileKind } from "../model/file-names.ts";
import { summaryOf } from "../model/release-summary.ts";
import type { PublishedFile, ReleaseEntry } from "../model/repository-index.ts";
import { digestFile, type BuiltImage } from "./image-directory.ts";
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
    readonly signal?: AbortSignal | undefined;
    readonly onProgress: (step: string) => void;
  },
): Promise<ReleaseEntry> {
  const { manifest, usrPath, verityPath, ukiPath } = image;
  const { compressionLevel = DEFAULT_COMPRESSION_LEVEL, signal, onProgress } = options;
  const names = releaseFileNames(manifest);
  const put = async (kind: ReleaseFileKind, make: (path: string) => Promise<void>): Promise<PublishedFile> => {
    const unfinished = files.workPath();
    await make(unfinished);
    await sync(unfinished);
    const digest = await digestFile(unfinished, signal);
    await files.place(unfinished, `releases/${names[kind]}`);
    return { name: names[kind], ...digest };
  };
  const compressed = async (kind: ReleaseFileKind, source: string): Promise<PublishedFile> => {
    onProgress(`compressing ${names[kind]}`);
    return await put(kind, async (path) => await compress(source, path, compressionLevel, signal));
  };
  const bytes = async (kind: ReleaseFileKind, content: Uint8Array | string): Promise<PublishedFile> =>
    await put(kind, async (path) => await writeWhole(path, content));

  const published = {
    manifest: await bytes("manifest", image.manifestBytes),
    summary: await bytes("summary", `${JSON.stringify(summaryOf(manifest), undefined, 2)}\n`),
    sbom: await bytes("sbom", image.sbomBytes),
    uki: await put("uki", async (path) => await copyFile(ukiPath, path)),
    usrBlocks: await put("usrBlocks", async (out) => {
      onProgress(`writing ${names.usrBlocks}`);
      await writeBlocks({ dataPath: usrPath, treePath: verityPath, out, signal });
    }),
    ukiArchive: await compressed("ukiArchive", ukiPath),
    verityArchive: await compressed("verityArchive", verityPath),
    usrArchive: await compressed("usrArchive", usrPath),
  };
  return { version: manifest.version, files: published };
}

/** xz names its output after its input; `--force` lets the input be a link. */
async function compress(source: string, path: string, level: number, signal: AbortSignal | undefined): Promise<void> {
  await symlink(resolve(source), path);
  await run("xz", ["--compress", "--keep", "--force", `-${level}`, ...XZ_OPTIONS, path], { signal });
  await rename(`${path}.xz`, path);
}

async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  await using file = await open(path, "w", 0o644);
  await file.writeFile(content);
}

/** Served by whatever user runs the web server. */
async function sync(path: string): Promise<void> {
  await using file = await open(path, "r+");
  await file.chmod(0o644);
  await file.sync();
}
