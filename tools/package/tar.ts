import { run } from "@ashlar/host";

/** A directory's files as an archive: the same files give the same bytes. @param time of all files, seconds since 1970 */
export async function writeTar(archive: string, directory: string, time: string): Promise<void> {
  await run("chmod", ["-R", "u=rwX,go=rX", directory]);
  const same = ["--sort=name", `--mtime=@${time}`, "--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
  await run("tar", [...same, "--use-compress-program=gzip -n -9", "-cf", archive, "-C", directory, "."]);
}
