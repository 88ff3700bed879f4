import { copyFile, writeFile } from "node:fs/promises";
import type { BuildTree } from "@ashlar/debian";

export type UkiParts = {
  readonly kernelPath: string;
  readonly kernelRelease: string;
  readonly initrdPath: string;
  readonly osReleasePath: string;
  readonly commandLine: string;
  readonly sourceDateEpoch: number;
  readonly out: string;
};

/** Joins kernel, initrd, command line and os-release into a unified kernel image with the build tree's ukify. */
export async function buildUki(build: BuildTree, parts: UkiParts): Promise<void> {
  await copyFile(parts.kernelPath, build.path("tmp/linux"));
  await copyFile(parts.initrdPath, build.path("tmp/initrd"));
  await copyFile(parts.osReleasePath, build.path("tmp/os-release"));
  await writeFile(build.path("tmp/cmdline"), parts.commandLine);
  await build.run(
    "ukify",
    [
      "build",
      "--linux=/tmp/linux",
      "--initrd=/tmp/initrd",
      "--cmdline=@/tmp/cmdline",
      "--os-release=@/tmp/os-release",
      `--uname=${parts.kernelRelease}`,
      "--output=/tmp/uki.efi",
    ],
    { env: { SOURCE_DATE_EPOCH: String(parts.sourceDateEpoch) } },
  );
  await copyFile(build.path("tmp/uki.efi"), parts.out);
}
