/**
 * A directory for each channel, which plain systemd-sysupdate uses by itself: SHA256SUMS, its signature and the files.
 *
 *     stable -> .channels/stable-6f1c...
 *     .channels/stable-6f1c.../SHA256SUMS
 *     .channels/stable-6f1c.../SHA256SUMS.gpg
 *     .channels/stable-6f1c.../ashlar_1.1.0.efi.xz -> ../../releases/ashlar_1.1.0.efi.xz
 *
 * It follows from the signed index. The whole directory changes at once, when the link to it is renamed.
 */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, open, readdir, readlink, rm, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { isSignedSums, signSums, type SumsKey } from "../keys/sums-key.ts";
import { offeredReleases } from "../model/edit-index.ts";
import type { PublishedFile, RepositoryIndex } from "../model/repository-index.ts";
import type { RepositoryFiles } from "./repository-files.ts";

const CHANNELS_DIRECTORY = ".channels";
export const SUMS_NAME = "SHA256SUMS";
export const SIGNATURE_NAME = "SHA256SUMS.gpg";

/** The text of a channel's SHA256SUMS, in the format of sha256sum(1). */
export function channelSums(index: RepositoryIndex, channel: string): string {
  return channelFiles(index, channel)
    .map(({ name, sha256 }) => `${sha256}  ${name}\n`)
    .join("");
}

function channelFiles(index: RepositoryIndex, channel: string): PublishedFile[] {
  const target = index.channels.get(channel);
  if (target === undefined) return [];
  return offeredReleases(index, target).flatMap(({ files }) => [
    files.usrArchive,
    files.verityArchive,
    files.ukiArchive,
  ]);
}

/** Brings the directory of each channel to what the index says. What is right already stays as it is. */
export async function writeChannels(files: RepositoryFiles, index: RepositoryIndex, key: SumsKey): Promise<void> {
  await mkdir(files.path(CHANNELS_DIRECTORY), { recursive: true });
  const current = new Set<string>();
  for (const channel of index.channels.keys()) {
    if (!(await isCurrent(files, index, channel, key))) await replace(files, index, channel, key);
    current.add(basename(await readlink(files.path(channel))));
  }
  for (const name of await readdir(files.path(CHANNELS_DIRECTORY))) {
    if (!current.has(name)) await rm(files.path(CHANNELS_DIRECTORY, name), { recursive: true, force: true });
  }
}

async function isCurrent(
  files: RepositoryFiles,
  index: RepositoryIndex,
  channel: string,
  key: SumsKey,
): Promise<boolean> {
  const [sums, signature] = [
    await files.read(`${channel}/${SUMS_NAME}`),
    await files.read(`${channel}/${SIGNATURE_NAME}`),
  ];
  const text = channelSums(index, channel);
  if (sums?.toString("utf8") !== text || signature === undefined) return false;
  return await isSignedSums(text, signature, [key.toPublic()]);
}

async function replace(files: RepositoryFiles, index: RepositoryIndex, channel: string, key: SumsKey): Promise<void> {
  const status = await lstat(files.path(channel)).catch(() => undefined);
  if (status !== undefined && !status.isSymbolicLink()) {
    throw new AshlarError("conflict", `${files.path(channel)}: expected a symbolic link, found something else`, {
      hint: "copy repositories with their links (rsync -a, cp -a, tar), and remove this one",
    });
  }
  const unfinished = files.workPath();
  await mkdir(unfinished);
  const text = channelSums(index, channel);
  await writeSynced(join(unfinished, SUMS_NAME), text);
  await writeSynced(join(unfinished, SIGNATURE_NAME), await signSums(text, key));
  for (const { name } of channelFiles(index, channel)) {
    await symlink(join("..", "..", "releases", name), join(unfinished, name));
  }
  const directory = join(CHANNELS_DIRECTORY, `${channel}-${randomBytes(8).toString("hex")}`);
  await files.place(unfinished, directory);
  const link = files.workPath();
  await symlink(directory, link);
  await files.place(link, channel);
}

async function writeSynced(path: string, content: Uint8Array | string): Promise<void> {
  await using file = await open(path, "w", 0o644);
  await file.writeFile(content);
  await file.sync();
}
