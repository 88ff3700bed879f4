import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { packagePurl } from "@ashlar/inventory";
import type { Material } from "@ashlar/statements";
import { type ArchiveOptions, cachedStep, packageMaterials, type Step } from "@ashlar/debian";
import { buildGo, type BuildGoOptions } from "./build-go.ts";
import { type GoModule, parseGoSums } from "./go-sums.ts";
import { type GoToolchain, openGoToolchain } from "./go-toolchain.ts";

export type GoPrograms = {
  /** The programs below their absolute paths, in the user's cache. */
  readonly directory: string;
  /** All modules that are in them, and Go's own library. */
  readonly modules: readonly { readonly path: string; readonly version: string }[];
  /** The same by digest, and the tool chain. */
  readonly materials: readonly Material[];
};

/**
 * The programs of a recipe's Go module at a version: built once, and again when modules, flags or the tool chain change.
 *
 * @param recipe the recipe's folder
 * @throws AshlarError `not-found` for a version without digests, `untrusted` for modules with others, `unavailable`, `failed`
 */
export async function goPrograms(
  recipe: string,
  { module, ldflags, packages }: BuildGoOptions["go"],
  version: string,
  { archive, step }: { readonly archive: ArchiveOptions; readonly step: Step },
): Promise<GoPrograms> {
  const sums = join(recipe, "go", `${version}.sum`);
  const text = await readFile(sums, "utf8").catch((error: unknown) => {
    const hint = "the recipe's README says how such a file is made";
    throw new AshlarError("not-found", `expected digests of ${module} ${version} in ${sums}, found none`, {
      hint,
      cause: error,
    });
  });
  const modules = parseGoSums(text, sums);
  const toolchain = await openGoToolchain(archive, step);
  const go = { module, ldflags, packages };
  const inputs = { format: 1, go, version, modules, toolchain: toolchain.version };
  const { directory } = await cachedStep("go-programs", inputs, async (out) => {
    await buildGo({ go, version, modules, goRoot: toolchain.goRoot, out, ...step });
  });
  const programs = packages.map(({ binary }) => join(directory, binary));
  const { stdout } = await run(join(toolchain.goRoot, "bin/go"), ["version", "-m", ...programs], {
    env: { GOROOT: toolchain.goRoot },
  });
  const library = { path: "stdlib", version: toolchain.version.replace(/^go/u, "") };
  const linked = linkedModules(stdout.toString("utf8"));
  return {
    directory,
    modules: [library, ...modules, ...linked].map(({ path, version: own }) => ({ path, version: own })),
    materials: [
      libraryMaterial(library, toolchain),
      ...[...modules, ...linked].map(moduleMaterial),
      ...packageMaterials(toolchain.archives, "build"),
    ],
  };
}

/** From what `go version -m` says of programs: the modules that came through the proxy, which are those with a digest. */
export function linkedModules(text: string): GoModule[] {
  const found = new Map<string, GoModule>();
  for (const { groups } of text.matchAll(/^\tdep\t(?<path>[^\t\n]+)\t(?<version>[^\t\n]+)\t(?<sum>h1:[^\t\n]+)$/gmu)) {
    const { path = "", version = "", sum = "" } = groups ?? {};
    found.set(`${path}@${version}`, { path, version, sum });
  }
  return [...found.values()];
}

/** "h1:" and base64 in go.sum; in-toto has the same digest in hexadecimal. */
function moduleMaterial({ path, version, sum }: GoModule): Material {
  return {
    uri: purlOf({ path, version }),
    digest: { dirHash: Buffer.from(sum.replace(/^h1:/u, ""), "base64").toString("hex") },
    annotations: { role: "content" },
  };
}

/** Go's own library comes with the tool chain, in a package of its sources. */
function libraryMaterial(
  library: { readonly path: string; readonly version: string },
  toolchain: GoToolchain,
): Material {
  const source = toolchain.archives.find(({ name }) => /^golang-[\d.]+-src$/u.test(name));
  if (source === undefined) throw new TypeError("Debian's Go comes with a package of its library");
  return { uri: purlOf(library), digest: { sha256: source.sha256 }, annotations: { role: "content" } };
}

function purlOf({ path, version }: { readonly path: string; readonly version: string }): string {
  return packagePurl({ name: path, version, architecture: "amd64" });
}
