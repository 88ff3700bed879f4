import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { cacheDirectory, run } from "@ashlar/host";

/**
 * A directory with the files of a package of the machine's own Debian or Ubuntu, fetched once and kept. Nothing is installed: a package of a
 * server would start it.
 */
export async function debianPackage(name: string): Promise<string> {
  const directory = join(cacheDirectory(), "test-packages", name);
  if (await exists(directory)) return directory;
  const making = `${directory}.${process.pid}`;
  await mkdir(making, { recursive: true });
  try {
    await run("apt-get", ["-qq", "download", name], { cwd: making });
    const archive = (await readdir(making)).find((each) => each.endsWith(".deb"));
    if (archive === undefined) throw new Error(`apt-get has fetched nothing for ${name}`);
    await run("dpkg-deb", ["-x", archive, "files"], { cwd: making });
    await mkdir(dirname(directory), { recursive: true });
    await rename(join(making, "files"), directory);
  } catch (error) {
    const hint = "apt-get update";
    throw new AshlarError("missing-tool", `expected the Debian package ${name} from apt-get`, { cause: error, hint });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return directory;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
