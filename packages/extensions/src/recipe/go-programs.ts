import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { type ArchiveOptions, cachedStep, type Step } from "@ashlar/debian";
import { buildGo, type BuildGoOptions } from "./build-go.ts";
import { parseGoSums } from "./go-sums.ts";
import { openGoToolchain } from "./go-toolchain.ts";

export type GoPrograms = {
  /** The programs below their absolute paths, in the user's cache. */
  readonly directory: string;
  /** All modules that are in them, and Go's own library. */
  readonly modules: readonly { readonly path: string; readonly version: string }[];
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
  const known = [{ path: "stdlib", version: toolchain.version.replace(/^go/u, "") }, ...modules];
  return { directory, modules: [...known, ...linkedModules(stdout.toString("utf8"))] };
}

/** From what `go version -m` says of programs: the modules that came through the proxy, which are those with a digest. */
export function linkedModules(text: string): { readonly path: string; readonly version: string }[] {
  const found = new Map<string, { path: string; version: string }>();
  for (const { groups } of text.matchAll(/^\tdep\t(?<path>[^\t\n]+)\t(?<version>[^\t\n]+)\th1:/gmu)) {
    const { path = "", version = "" } = groups ?? {};
    found.set(`${path}@${version}`, { path, version });
  }
  return [...found.values()];
}
