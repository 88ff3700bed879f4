import { chmod, lstat, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { matchesGlob } from "node:path/posix";
import { AshlarError } from "@ashlar/base";
import { hashDirectory, run } from "@ashlar/host";
import { packagePurl } from "@ashlar/inventory";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import { EXTENSION_VERSION_PATTERN, type ExtensionManifest } from "@ashlar/protocol";
import type { Material } from "@ashlar/statements";
import type { ArchiveOptions, Step } from "@ashlar/debian";
import { download, downloadMaterial } from "../recipe/download.ts";
import type { ExtensionSigner } from "../image/write-ddi.ts";
import { goPrograms } from "../recipe/go-programs.ts";
import { stageKernelModule } from "../recipe/kernel-module.ts";
import type { LoadedRecipe } from "../recipe/load-recipe.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { listTree, named } from "../tree/check-tree.ts";
import { stageDebs } from "./stage-debs.ts";
import type { StagedTree } from "./staged-tree.ts";

export type StageRecipeOptions = LoadedRecipe & {
  /** Null: as the recipe says. */
  readonly version: string | null;
  readonly archive: ArchiveOptions;
  readonly base: ReleaseManifest | undefined;
  readonly signer: ExtensionSigner;
  readonly tree: string;
  readonly work: string;
  readonly step: Step;
};

type Packages = ExtensionManifest["packages"];

/** Puts into the tree what a recipe says: packages, programs, and the files beside it, which come last. */
export async function stageRecipe(options: StageRecipeOptions): Promise<StagedTree> {
  const { recipe, directory, base, tree, step } = options;
  const debs = recipe.debs.length === 0 ? undefined : await stageDebs({ ...options, packages: recipe.debs });
  await leaveOut(recipe, tree);
  const plain = await withoutSetId(tree);
  const version = options.version ?? versionOf(recipe, [...(debs?.packages ?? []), ...(base?.packages ?? [])]);
  const programs = await stagePrograms(options, version);
  const tools: Material[] = [];
  if (recipe.kernelModule !== null) {
    if (base === undefined) throw new AshlarError("usage", "expected --release for a kernel module, found none");
    const source = join(directory, recipe.kernelModule.source);
    tools.push(...(await stageKernelModule({ ...options, base, source })));
  }
  const files = join(directory, "files");
  if ((await stat(files).catch(() => undefined)) !== undefined) {
    await copyInto(files, tree, ["--no-preserve=ownership"], step.signal);
    await normalizeModes(files, tree);
  }
  return {
    packages: [...(debs?.packages ?? []), ...programs.packages],
    materials: [
      ...(debs === undefined || debs.materials === "tree" ? [] : debs.materials),
      ...programs.materials,
      ...tools,
      {
        name: "recipe",
        digest: { dirHash: await hashDirectory(directory, step.signal) },
        annotations: { role: "source" },
      },
    ],
    leftOut: [...(debs?.leftOut ?? []), ...(plain.length === 0 ? [] : [`set-user-ID bits of ${named(plain)}`])],
    ownerOf: (path) => debs?.ownerOf(path),
    behaviour: recipe.behaviour,
    version,
  };
}

/** @throws AshlarError `invalid` for a pattern that no file has: the packages are not those that the recipe was made for */
export async function leaveOut(recipe: Pick<Recipe, "name" | "leaveOut">, tree: string): Promise<void> {
  const files = (await listTree(tree)).filter(({ type }) => type !== "directory");
  for (const pattern of recipe.leaveOut) {
    const found = files.filter(({ path }) => matchesGlob(path, pattern));
    if (found.length === 0) {
      throw new AshlarError(
        "invalid",
        `recipe ${recipe.name}: expected files of packages that fit ${pattern}, found none`,
      );
    }
    for (const { path } of found) await rm(join(tree, path), { force: true });
  }
}

/** On a node it is root who runs what a recipe brings: bits that would make somebody root are taken off. Gives the files. */
export async function withoutSetId(tree: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { path, type } of await listTree(tree)) {
    if (type !== "file") continue;
    const { mode } = await lstat(join(tree, path));
    if ((mode & 0o6000) === 0) continue;
    await chmod(join(tree, path), mode & 0o1777);
    found.push(path);
  }
  return found;
}

/** A checkout has the modes that its owner's umask gave: what counts is who may execute. */
async function normalizeModes(files: string, tree: string): Promise<void> {
  for (const { path, type } of await listTree(files)) {
    if (type === "link") continue;
    const { mode } = await lstat(join(files, path));
    await chmod(join(tree, path), type === "directory" || (mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}

/** A Debian version (Debian Policy, section 5.6.12) in the letters that an extension's may have, without its epoch. */
function versionOf({ name, version }: Recipe, packages: Packages): string {
  if (version.type === "fixed") return version.version;
  const found = packages.find((each) => each.name === version.package);
  const text = found?.version
    .replace(/^\d+:/u, "")
    .replaceAll(/[^0-9A-Za-z.~]/gu, ".")
    .slice(0, 63);
  if (text !== undefined && EXTENSION_VERSION_PATTERN.test(text)) return text;
  throw new AshlarError(
    "not-found",
    `recipe ${name}: expected a package ${version.package} for its version, found none`,
    {
      hint: "say the version with --version, or the release with --release",
    },
  );
}

type StagedPrograms = { readonly packages: Packages; readonly materials: readonly Material[] };

/** Downloads where that can be; what cannot be reached is built. */
async function stagePrograms(options: StageRecipeOptions, version: string): Promise<StagedPrograms> {
  const { recipe, tree, work, step } = options;
  const out = join(work, "programs");
  if (recipe.downloads.length > 0) {
    try {
      step.onProgress(`downloading ${recipe.name} ${version}`);
      for (const each of recipe.downloads) await download(each, version, out, step.signal);
      await copyInto(out, tree, ["--link"], step.signal);
      await rm(out, { recursive: true });
      const program = { name: recipe.go?.module ?? recipe.name, version, architecture: "amd64" };
      const materials = recipe.downloads.map((each) => downloadMaterial(each, version, packagePurl(program)));
      return { packages: [program], materials };
    } catch (error) {
      if (!(error instanceof AshlarError) || error.code !== "unavailable" || recipe.go === null) throw error;
      step.onProgress(`not downloaded: ${error.message}`);
      await rm(out, { recursive: true, force: true });
    }
  }
  if (recipe.go === null) return { packages: [], materials: [] };
  const { directory, modules, materials } = await goPrograms(options.directory, recipe.go, version, options);
  await copyInto(directory, tree, [], step.signal);
  const packages = modules.map(({ path, version: own }) => ({ name: path, version: own, architecture: "amd64" }));
  return { packages, materials };
}

/** What is in the tree already is replaced, not written through: a package's file can be a link to one of this machine's. */
async function copyInto(from: string, tree: string, how: readonly string[], signal?: AbortSignal): Promise<void> {
  await run("cp", ["--archive", "--remove-destination", ...how, "--", `${from}/.`, tree], { signal });
}
