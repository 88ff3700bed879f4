/**
 * What plain systemd-sysupdate uses by itself: for each channel and each extension a directory with SHA256SUMS, its
 * signature and the files.
 *
 *     stable -> .channels/stable-6f1c...
 *     .channels/stable-6f1c.../SHA256SUMS
 *     .channels/stable-6f1c.../SHA256SUMS.gpg
 *     .channels/stable-6f1c.../ashlar_1.1.0.efi.xz -> ../../releases/ashlar_1.1.0.efi.xz
 *
 *     extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw
 *     extensions/kubernetes/SHA256SUMS -> .sums/SHA256SUMS
 *     extensions/kubernetes/SHA256SUMS.gpg -> .sums/SHA256SUMS.gpg
 *     extensions/kubernetes/.sums -> ../../.channels/kubernetes-90ab...
 *
 * It follows from the signed index. List and signature change at once, when the link to their directory is renamed.
 */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, open, readdir, readlink, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { AshlarError } from "@ashlar/base";
import { isSignedSums, signSums, type SumsKey } from "@ashlar/keys";
import {
  extensionVersions,
  offeredReleases,
  extensionDirectory,
  type PublishedFile,
  type RepositoryIndex,
} from "@ashlar/repository-index";
import type { RepositoryFiles } from "./repository-files.ts";

const GENERATIONS_DIRECTORY = ".channels";
export const SUMS_NAME = "SHA256SUMS";
export const SIGNATURE_NAME = "SHA256SUMS.gpg";
const SUMS_LINK = ".sums";
/** What an extension's directory holds beside payloads. */
export const LISTING_NAMES: readonly string[] = [SUMS_NAME, SIGNATURE_NAME, SUMS_LINK];

/** A list of files for plain systemd-sysupdate. */
export type SumsDirectory = {
  /** Where it is read, in the repository. */
  readonly path: string;
  /** What SHA256SUMS says, in the format of sha256sum(1). */
  readonly sums: string;
  /** The link that is renamed: the directory itself, or one inside. */
  readonly link: string;
  /** Files that lie elsewhere, and get links here. */
  readonly linked: readonly string[];
};

/** One for each channel, and one for each extension. */
export function sumsDirectories(index: RepositoryIndex): readonly SumsDirectory[] {
  const ofChannels = [...index.channels].map(([name, channel]) => {
    const files = offeredReleases(index, channel).flatMap((release) => [
      release.files.usrArchive,
      release.files.verityArchive,
      release.files.ukiArchive,
    ]);
    return { path: name, link: name, sums: sumsOf(files), linked: files.map((file) => join("releases", file.name)) };
  });
  const ofExtensions = [...index.extensions.keys()].map((name) => {
    const path = extensionDirectory(name);
    const offered = extensionVersions(index, name).filter(({ withdrawn }) => withdrawn === undefined);
    return { path, link: join(path, SUMS_LINK), sums: sumsOf(offered.map(({ files }) => files.image)), linked: [] };
  });
  return [...ofChannels, ...ofExtensions];
}

function sumsOf(files: readonly PublishedFile[]): string {
  return files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");
}

/** Brings all of them to what the index says. What is right already stays as it is. */
export async function writeSums(files: RepositoryFiles, index: RepositoryIndex, key: SumsKey): Promise<void> {
  await mkdir(files.path(GENERATIONS_DIRECTORY), { recursive: true });
  const current = new Set<string>();
  for (const directory of sumsDirectories(index)) {
    if (!(await isCurrent(files, directory, key))) await replace(files, directory, key);
    current.add(basename(await readlink(files.path(directory.link))));
  }
  for (const name of await readdir(files.path(GENERATIONS_DIRECTORY))) {
    if (!current.has(name)) await rm(files.path(GENERATIONS_DIRECTORY, name), { recursive: true, force: true });
  }
}

async function isCurrent(files: RepositoryFiles, { path, sums }: SumsDirectory, key: SumsKey): Promise<boolean> {
  const [found, signature] = [await files.read(`${path}/${SUMS_NAME}`), await files.read(`${path}/${SIGNATURE_NAME}`)];
  if (found?.toString("utf8") !== sums || signature === undefined) return false;
  return await isSignedSums(sums, signature, [key.toPublic()]);
}

async function replace(files: RepositoryFiles, directory: SumsDirectory, key: SumsKey): Promise<void> {
  const { path, link, sums, linked } = directory;
  await expectLink(files, link);
  const unfinished = files.workPath();
  await mkdir(unfinished);
  await writeSynced(join(unfinished, SUMS_NAME), sums);
  await writeSynced(join(unfinished, SIGNATURE_NAME), await signSums(sums, key));
  for (const file of linked) await symlink(join("..", "..", file), join(unfinished, basename(file)));
  const generation = join(GENERATIONS_DIRECTORY, `${basename(path)}-${randomBytes(8).toString("hex")}`);
  await files.place(unfinished, generation);
  await placeLink(files, relative(dirname(link), generation), link);
  if (link === path) return;
  // Without a list nobody looks for its signature.
  for (const name of [SIGNATURE_NAME, SUMS_NAME]) {
    await expectLink(files, join(path, name));
    await placeLink(files, join(basename(link), name), join(path, name));
  }
}

async function expectLink(files: RepositoryFiles, path: string): Promise<void> {
  const status = await lstat(files.path(path)).catch(() => undefined);
  if (status === undefined || status.isSymbolicLink()) return;
  throw new AshlarError("conflict", `${files.path(path)}: expected a symbolic link, found something else`, {
    hint: "copy repositories with their links (rsync -a, cp -a, tar), and remove this one",
  });
}

async function placeLink(files: RepositoryFiles, target: string, path: string): Promise<void> {
  const link = files.workPath();
  await symlink(target, link);
  await files.place(link, path);
}

async function writeSynced(path: string, content: Uint8Array | string): Promise<void> {
  await using file = await open(path, "w", 0o644);
  await file.writeFile(content);
  await file.sync();
}
