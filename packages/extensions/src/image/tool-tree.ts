import {
  BuildTree,
  cachedStep,
  chooseArchive,
  keepArchives,
  keptArchives,
  makeDebianTrees,
  packageMaterials,
  readOsDefinition,
  readPackageArchives,
  type Step,
} from "@ashlar/debian";
import { run } from "@ashlar/host";
import type { Material } from "@ashlar/statements";

/** Parts of the build tree that mkfs.erofs needs to run. */
const PARTS = ["./usr/bin/mkfs.erofs", "./usr/lib/x86_64-linux-gnu", "./usr/lib64", "./bin", "./lib", "./lib64"];

/**
 * The tools of the node's Debian release that make file systems: the host's may be too old for the node's kernel, or make
 * other bytes. They are unpacked once; of a stable release they do not change.
 */
export async function openToolTree(step: Step): Promise<{ readonly tree: BuildTree; readonly materials: Material[] }> {
  const os = await readOsDefinition();
  const { directory } = await cachedStep("extension-tools", { format: 2, packages: os.buildPackages }, async (out) => {
    const archive = await chooseArchive({});
    const trees = await makeDebianTrees(os, archive, step);
    const archives = await readPackageArchives(trees, archive, step);
    step.onProgress("unpacking mkfs.erofs");
    await keepArchives(
      out,
      archives.filter(({ name }) => name === "erofs-utils"),
    );
    await run("tar", ["-C", out, "--extract", "--file", trees.buildTar, "--numeric-owner", ...PARTS], {
      signal: step.signal,
    });
  });
  const materials = packageMaterials(await keptArchives(directory), "build");
  return { tree: new BuildTree(directory, step), materials };
}
