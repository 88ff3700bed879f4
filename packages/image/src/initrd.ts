import { hash } from "node:crypto";
import { copyFile, cp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type BuildTree, cachedStep, type DebianTrees, type OsDefinition, type Step } from "@ashlar/debian";

/** Builds the initrd with the build tree's dracut; gives its path in the cache. */
export async function buildInitrd(
  tree: BuildTree,
  kernelRelease: string,
  os: OsDefinition,
  debian: DebianTrees,
  step: Step,
): Promise<string> {
  const inputs = {
    format: 2,
    debian: debian.key,
    omittedDrivers: os.omittedInitrdDrivers,
    sources: await digestOfDirectory(join(os.directory, "initrd")),
  };
  const { directory } = await cachedStep("initrd", inputs, async (out) => {
    step.onProgress("building the initrd");
    const module = tree.path("usr/lib/dracut/modules.d/90ashlar");
    await rm(module, { recursive: true, force: true });
    await cp(join(os.directory, "initrd/90ashlar"), module, { recursive: true });
    await unpackModules(tree, kernelRelease);
    await tree.run(
      "dracut",
      [
        "--quiet",
        "--force",
        "--no-hostonly",
        "--no-hostonly-cmdline",
        "--no-early-microcode",
        "--nofscks",
        "--reproducible",
        "--modules=ashlar",
        `--omit-drivers=${os.omittedInitrdDrivers.join(" ")}`,
        // Smaller is faster: the firmware hashes the whole UKI more than once. Unpacking does not depend on the level.
        "--compress=zstd -19 -T0",
        `--kver=${kernelRelease}`,
        "/tmp/initrd",
      ],
      { env: { SOURCE_DATE_EPOCH: String(debian.sourceDateEpoch) } },
    );
    await copyFile(tree.path("tmp/initrd"), join(out, "initrd"));
  });
  return join(directory, "initrd");
}

/** Debian compresses each module: the initrd is compressed as a whole, and a node unpacks no module twice. */
async function unpackModules(tree: BuildTree, kernelRelease: string): Promise<void> {
  const modules = `/usr/lib/modules/${kernelRelease}`;
  await tree.run("python3", ["-c", UNPACK, modules]);
  await tree.run("depmod", [kernelRelease]);
}

/** The build tree has Python, for ukify, and no xz. */
const UNPACK = `
import lzma, pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("*.ko.xz"):
    path.with_suffix("").write_bytes(lzma.decompress(path.read_bytes()))
    path.unlink()
`;

async function digestOfDirectory(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = await Promise.all(
    paths.toSorted().map(async (path) => `${hash("sha256", await readFile(path))} ${path.slice(directory.length)}`),
  );
  return hash("sha256", lines.join("\n"));
}
