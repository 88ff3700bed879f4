import { copyFile, glob, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AshlarError } from "@ashlar/base";
import { cacheDirectory, withTemporaryDirectory } from "@ashlar/host";
import { BOOT_LOADER_SOURCE } from "@ashlar/protocol";
import { parseManifest, type ReleaseManifest } from "@ashlar/protocol/answers";
import {
  type ArchiveOptions,
  BuildTree,
  chooseArchive,
  makeDebianTrees,
  ownSource,
  readOsDefinition,
  readPackageArchives,
  type Step,
} from "@ashlar/debian";
import { checkBuilder, DEFAULT_BUILDER } from "@ashlar/statements";
import { buildAgentExecutable } from "./agent-executable.ts";
import { assembleUsr } from "./assemble-usr.ts";
import { makeDiskImage } from "./disk-image.ts";
import { buildInitrd } from "./initrd.ts";
import { describeProvenance, IMAGE_SUBJECTS } from "./provenance.ts";
import { describeRelease } from "./release-manifest.ts";
import type { ReleaseSource } from "./release-source.ts";
import { type ImageSecureBoot, signProgram } from "./secure-boot.ts";
import { writeSbom } from "./sbom.ts";
import { buildUki } from "./uki.ts";
import { makeUsrImage } from "./usr-image.ts";

export type BuildImageOptions = ArchiveOptions & {
  readonly version: string;
  /** The directory that gets the image; made if missing. */
  readonly out: string;
  /** A directory whose files are laid over the image's /usr. */
  readonly addedTree?: string;
  /** The URI of whoever builds, as provenance has it. */
  readonly builder?: string;
  /** Where the nodes look for updates, unless their configuration says something else. */
  readonly releaseSource?: ReleaseSource;
  /** Signs what firmware and systemd-boot start, and puts its keys on the ESP to be enrolled. */
  readonly secureBoot?: ImageSecureBoot;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (message: string) => void;
};

export type BuiltImage = {
  readonly manifest: ReleaseManifest;
  /** The installed Debian packages came from the cache. */
  readonly cachedPackages: boolean;
};

/** The budget of an image: a node downloads and measures it. */
export const MAX_USR_BYTES = 260_000_000;
export const MAX_UKI_BYTES = 24_000_000;

/** The names in an image directory. The disk comes last: a directory with a disk is a whole image. */
const IMAGE_FILES = [...IMAGE_SUBJECTS, "provenance.json", "disk.raw"] as const;

/**
 * Builds the operating system image of a release from Debian packages and the folder `os/`. The same inputs give the same
 * bytes. An interrupted build leaves `out` as it was.
 *
 * @throws AshlarError `usage` (options), `missing-tool` (not root), `unavailable` (archive), `limit` (budget), `failed`
 */
export async function buildImage(options: BuildImageOptions): Promise<BuiltImage> {
  checkVersion(options.version);
  const builder = checkBuilder(options.builder ?? DEFAULT_BUILDER);
  if (process.getuid?.() !== 0) {
    throw new AshlarError(
      "privilege",
      "building an image needs root: it installs Debian packages in a tree of its own",
      {
        hint: "run the same command with sudo",
      },
    );
  }
  const archive = await chooseArchive(options);
  const os = await readOsDefinition();
  const step: Step = { signal: options.signal, onProgress: options.onProgress ?? (() => undefined) };
  const parent = join(cacheDirectory(), "work");
  await mkdir(parent, { recursive: true });

  return await withTemporaryDirectory(async (work) => {
    const result = join(work, "result");
    await mkdir(result);
    const debian = await makeDebianTrees(os, archive, step);
    const { sourceDateEpoch } = debian;
    const archives = await readPackageArchives(debian, archive, step);
    const agent = await buildAgentExecutable({
      out: join(work, "agent"),
      signal: step.signal,
      onProgress: step.onProgress,
    });
    step.onProgress("unpacking the trees");
    const [node, build] = await Promise.all([
      BuildTree.unpack(debian.nodeTar, join(work, "node"), step),
      BuildTree.unpack(debian.buildTar, join(work, "build"), step),
    ]);
    const kernelPath = await findKernel(node);
    const bootLoaderPath = join(result, "systemd-boot.efi");
    await signProgram(build.path(BOOT_LOADER_SOURCE), bootLoaderPath, options.secureBoot);
    step.onProgress("assembling /usr");
    const kernelRelease = await assembleUsr(node, {
      version: options.version,
      os,
      agentPath: agent.path,
      ignitionPath: build.path("usr/lib/dracut/modules.d/30ignition/ignition"),
      bootLoaderPath,
      addedTree: options.addedTree === undefined ? undefined : resolve(options.addedTree),
      releaseSource: options.releaseSource,
      sourceDateEpoch,
    });
    const initrdPath = await buildInitrd(build, kernelRelease, os, debian, step);
    step.onProgress("making the erofs image of /usr and its dm-verity tree");
    const usr = await makeUsrImage(build, node.path("usr"), options.version, sourceDateEpoch, result);
    checkBudget("the usr image", usr.dataSizeBytes, MAX_USR_BYTES);

    step.onProgress("joining kernel, initrd and command line into a UKI");
    const ukiPath = join(result, "uki.efi");
    const commandLine = [...os.commandLine, `usrhash=${usr.rootHash}`].join(" ");
    const osReleasePath = node.path("usr/lib/os-release");
    await buildUki(build, {
      kernelPath,
      kernelRelease,
      initrdPath,
      osReleasePath,
      commandLine,
      sourceDateEpoch,
      out: join(work, "uki.efi"),
    });
    await signProgram(join(work, "uki.efi"), ukiPath, options.secureBoot);
    checkBudget("the UKI", (await stat(ukiPath)).size, MAX_UKI_BYTES);
    // The very file that nodes will take from /usr.
    await copyFile(node.path(BOOT_LOADER_SOURCE), bootLoaderPath);

    step.onProgress("writing manifest, bill of materials, provenance and disk");
    const osRelease = await readFile(osReleasePath, "utf8");
    const sysextLevel = /^SYSEXT_LEVEL=(.+)$/mu.exec(osRelease)?.[1] ?? options.version;
    const described = await describeRelease({
      version: options.version,
      sysextLevel,
      commandLine,
      osRelease,
      usr,
      usrTree: node.path("usr"),
      ukiPath,
      bootLoaderPath,
      secureBoot: options.secureBoot,
      packages: debian.packages,
    });
    const text = `${JSON.stringify(described, null, 1)}\n`;
    // What is written can be read again, and agrees with itself.
    const manifest = parseManifest(text);
    await writeFile(join(result, "manifest.json"), text);
    await writeFile(join(result, "sbom.cdx.json"), writeSbom(manifest));
    const provenance = await describeProvenance({
      options,
      builder,
      archives,
      sourceDateEpoch,
      osDirectory: os.directory,
      ownSource: await ownSource(step.signal),
      agent: agent.materials,
      manifest,
      result,
      signal: step.signal,
    });
    await writeFile(join(result, "provenance.json"), provenance);
    await makeDiskImage(
      {
        version: options.version,
        usr,
        dataPartitionUuid: manifest.usr.dataPartitionUuid,
        hashPartitionUuid: manifest.usr.hashPartitionUuid,
        ukiPath,
        bootLoaderPath,
        secureBoot: options.secureBoot,
        sourceDateEpoch,
      },
      join(result, "disk.raw"),
      work,
    );
    await moveFiles(result, options.out);
    return { manifest, cachedPackages: debian.cached };
  }, parent);
}

function checkVersion(version: string): void {
  // Also a file name on the ESP and a partition label (36 characters with "ashlar_" and "_verity").
  if (/^[0-9][0-9A-Za-z.~-]{0,21}$/u.test(version)) return;
  throw new AshlarError("usage", `--version: expected a version such as 1.0.0, found ${JSON.stringify(version)}`, {
    hint: `a digit, then up to 21 digits, letters, dots, tildes or hyphens${version.includes("+") ? "; in the name of a boot entry, + begins the count of its trials" : ""}`,
  });
}

function checkBudget(what: string, sizeBytes: number, maxBytes: number): void {
  if (sizeBytes <= maxBytes) return;
  throw new AshlarError("limit", `${what} has ${sizeBytes} bytes: expected at most ${maxBytes}`, {
    hint: "leave packages out of os/packages.list, or paths out with os/remove.list",
  });
}

async function findKernel(node: BuildTree): Promise<string> {
  for await (const path of glob("boot/vmlinuz-*", { cwd: node.directory })) return node.path(path);
  throw new TypeError("the packages of a node bring no kernel");
}

/** Renames within a file system, copies across. An old disk goes first, so that a directory never looks whole while mixed. */
async function moveFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await rm(join(to, "disk.raw"), { force: true });
  for (const name of IMAGE_FILES) {
    try {
      await rename(join(from, name), join(to, name));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EXDEV")) throw error;
      await copyFile(join(from, name), join(to, name));
    }
  }
}
