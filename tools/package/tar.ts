import { rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { digestFile, run, withTemporaryDirectory } from "@ashlar/host";

/** Where an archive will be fetched from, and what it has to be. */
export type PublishedArchive = { readonly url: string; readonly sha256: string };

/**
 * Makes an archive, whole or not at all.
 *
 * @param base the directory where it is published @param time of all files, seconds since 1970
 * @param fill puts the files there; makes the directory
 */
export async function makeArchive(
  archive: string,
  { base, time }: { readonly base: string; readonly time: string },
  fill: (directory: string) => Promise<void>,
): Promise<PublishedArchive> {
  await withTemporaryDirectory(async (temporary) => {
    const [own, made] = [join(temporary, "own"), join(temporary, basename(archive))];
    await fill(own);
    await writeTar(made, own, time);
    await rename(made, archive);
  }, dirname(archive));
  const { digest: sha256 } = await digestFile(archive);
  return { url: `${base.replace(/\/$/u, "")}/${basename(archive)}`, sha256 };
}

/** A directory's files as an archive: the same files give the same bytes. */
async function writeTar(archive: string, directory: string, time: string): Promise<void> {
  await run("chmod", ["-R", "u=rwX,go=rX", directory]);
  const same = ["--sort=name", `--mtime=@${time}`, "--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
  await run("tar", [...same, "--use-compress-program=gzip -n -9", "-cf", archive, "-C", directory, "."]);
}
