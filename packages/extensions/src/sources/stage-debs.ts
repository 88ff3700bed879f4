import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import { NO_BEHAVIOUR } from "@ashlar/protocol";
import {
  type ArchiveOptions,
  chooseArchive,
  type DownloadedPackage,
  downloadPackages,
  makeDebianTrees,
  packageMaterials,
  readOsDefinition,
  type Step,
} from "@ashlar/debian";
import { listTree, named } from "../tree/check-tree.ts";
import { checkWay } from "../tree/check-way.ts";
import type { StagedTree } from "./staged-tree.ts";

export type StageDebsOptions = {
  readonly packages: readonly string[];
  readonly archive: ArchiveOptions;
  readonly base: ReleaseManifest | undefined;
  readonly tree: string;
  readonly work: string;
  readonly step: Step;
};

/** As in the base image, whose packages are installed without them. */
const NOT_SHIPPED = ["usr/share/man", "usr/share/doc", "usr/share/locale", "usr/share/info", "usr/share/lintian"];
/** What became links into /usr. (A package that has them as links, as base-files does, is part of the base.) */
const MERGED = ["bin", "sbin", "lib", "lib64"];

/**
 * Puts Debian packages into the tree: the files below /usr and /opt of those that were asked for, and of what they need
 * and the base lacks. Their maintainer scripts do not run.
 *
 * @throws AshlarError `usage` without a base, and as `downloadPackages` does
 */
export async function stageDebs({ packages, archive, base, tree, work, step }: StageDebsOptions): Promise<StagedTree> {
  if (base === undefined) {
    throw new AshlarError("usage", "expected --release for Debian packages, found none", {
      hint: "which of their dependencies the base has is in its manifest",
    });
  }
  const chosen = await chooseArchive(archive);
  const trees = await makeDebianTrees(await readOsDefinition(), chosen, step);
  const downloaded = await downloadPackages(packages, base, chosen, trees, step);
  const owners = new Map<string, string>();
  const leftOut: string[] = [];
  const withScripts: string[] = [];
  for (const each of downloaded) {
    const unpacked = join(work, "unpacked");
    await unpack(each, unpacked);
    if (await hasScript(each, join(work, "control"))) withScripts.push(each.name);
    const entries = await listTree(unpacked);
    for (const { path } of entries) if (/^\/(?:usr|opt)\//u.test(path)) owners.set(path, `package ${each.name}`);
    const elsewhere = entries.filter(({ path, type }) => type !== "directory" && !/^\/(?:usr|opt)\//u.test(path));
    if (elsewhere.length > 0) leftOut.push(`${each.name}: ${named(elsewhere.map(({ path }) => path))}`);
    for (const top of ["usr", "opt"]) {
      if (!(await readdir(unpacked)).includes(top)) continue;
      await mkdir(join(tree, top), { recursive: true });
      await run("cp", ["--archive", "--link", "--", `${join(unpacked, top)}/.`, join(tree, top)], {
        signal: step.signal,
      });
    }
    await rm(unpacked, { recursive: true });
  }
  if (withScripts.length > 0) leftOut.push(`what maintainer scripts do, of ${named(withScripts)}`);
  return {
    packages: downloaded.map(({ path: _path, sha256: _sha256, ...described }) => described),
    materials: packageMaterials(downloaded, "content"),
    leftOut,
    ownerOf: (path) => owners.get(path),
    behaviour: NO_BEHAVIOUR,
    version: null,
  };
}

/**
 * Unpacks a package's files as they are on a system whose top directories are merged into /usr. A package can bring a link
 * in place of any directory; those that are gone through here have to be directories, or we would follow it.
 *
 * @throws AshlarError `invalid` for a link in place of one of these directories
 */
export async function unpack({ name, path }: DownloadedPackage, directory: string): Promise<void> {
  await run("dpkg-deb", ["--extract", path, directory]);
  for (const way of ["opt", ...MERGED, ...MERGED.map((each) => `usr/${each}`), ...NOT_SHIPPED])
    await checkWay(directory, way, `package ${name}`);
  const found = await readdir(directory);
  for (const top of MERGED.filter((each) => found.includes(each))) {
    await mkdir(join(directory, "usr", top), { recursive: true });
    await run("cp", ["--archive", "--link", "--", `${join(directory, top)}/.`, join(directory, "usr", top)]);
    await rm(join(directory, top), { recursive: true });
  }
  for (const each of NOT_SHIPPED) await rm(join(directory, each), { recursive: true, force: true });
}

/** Apart from the package's files, among which there can be anything with the name DEBIAN. */
async function hasScript({ path }: DownloadedPackage, directory: string): Promise<boolean> {
  await run("dpkg-deb", ["--control", path, directory]);
  const names = await readdir(directory);
  await rm(directory, { recursive: true });
  return names.includes("postinst");
}
