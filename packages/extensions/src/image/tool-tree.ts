import { cachedStep, BuildTree, chooseArchive, makeDebianTrees, readOsDefinition, type Step } from "@ashlar/debian";
import { run } from "@ashlar/host";

/** Parts of the build tree that mkfs.erofs needs to run. */
const PARTS = ["./usr/bin/mkfs.erofs", "./usr/lib/x86_64-linux-gnu", "./usr/lib64", "./bin", "./lib", "./lib64"];

/**
 * The tools of the node's Debian release that make file systems: the host's may be too old for the node's kernel, or make
 * other bytes. They are unpacked once; of a stable release they do not change.
 */
export async function openToolTree(step: Step): Promise<BuildTree> {
  const os = await readOsDefinition();
  const { directory } = await cachedStep("extension-tools", { format: 1, packages: os.buildPackages }, async (out) => {
    const { buildTar } = await makeDebianTrees(os, await chooseArchive({}), step);
    step.onProgress("unpacking mkfs.erofs");
    await run("tar", ["-C", out, "--extract", "--file", buildTar, "--numeric-owner", ...PARTS], {
      signal: step.signal,
    });
  });
  return new BuildTree(directory, step);
}
