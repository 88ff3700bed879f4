/**
 * Programs of a Go module, built as its makers do: in its own source tree, with the versions of its own go.mod and go.sum.
 * Everything comes through the module proxy. What the recipe's `go/VERSION.sum` lists must have those digests; what that
 * brings along must have the digests of its go.sum. So the checksum database has no say, and need not be in reach.
 */
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { cacheDirectory, run, withTemporaryDirectory } from "@ashlar/host";
import { emptyModule, localReplacements, withoutSiblingVersions } from "./go-replacements.ts";
import type { GoModule } from "./go-sums.ts";
import { type RecipeGo, withVersion } from "./recipe.ts";

export type BuildGoOptions = {
  readonly go: Pick<RecipeGo, "module" | "ldflags" | "packages">;
  readonly version: string;
  /** From the recipe's `go/VERSION.sum`. */
  readonly modules: readonly [GoModule, ...GoModule[]];
  /** The GOROOT of a Go tool chain. */
  readonly goRoot: string;
  /** An empty directory; each program is put below it, where it goes in the extension. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
};

/** The same modules, flags and tool chain give the same bytes, wherever it runs. */
export async function buildGo(options: BuildGoOptions): Promise<void> {
  const { go, version, modules, out, signal, onProgress } = options;
  await withTemporaryDirectory(async (directory) => {
    onProgress?.(`fetching ${go.module} ${version} from the Go module proxy`);
    const sources = await downloadModules(modules, directory, options);
    const tree = join(directory, "tree");
    await layOutTree(modules, sources, tree);
    const programs = join(directory, "programs");
    await mkdir(programs);
    const names = go.packages.map(({ path }) => basename(path));
    onProgress?.(`building ${names.join(", ")} (some minutes when nothing of it has been built before)`);
    // Without symbols and debug information, which Kubernetes' makers leave out, too; panics still name functions and lines.
    const ldflags = `-s -w ${withVersion(go.ldflags, version)}`;
    await runGo(
      ["build", "-o", `${programs}/`, "-ldflags", ldflags, ...go.packages.map(({ path }) => path)],
      tree,
      options,
    );
    for (const { path, binary } of go.packages) {
      await mkdir(dirname(join(out, binary)), { recursive: true });
      await rename(join(programs, basename(path)), join(out, binary));
    }
    signal?.throwIfAborted();
  }, dirname(out));
}

/** The next version of the same programs takes a tenth of the time, since most of its packages have not changed. */
const GO_CACHE: string = join(cacheDirectory(), "go");
const MODULE_CACHE: string = join(GO_CACHE, "modules");

type Sources = ReadonlyMap<string, string>;

/** Gives the directory of each module's files, by module path. */
async function downloadModules(
  modules: readonly GoModule[],
  directory: string,
  options: BuildGoOptions,
): Promise<Sources> {
  await writeFile(join(directory, "go.mod"), "module download\n");
  const names = modules.map(({ path, version }) => `${path}@${version}`);
  try {
    await runGo(["mod", "download", ...names], directory, options);
  } catch (error) {
    if (error instanceof AshlarError && error.code !== "failed") throw error;
    throw new AshlarError("unavailable", `expected ${names[0]} from the Go module proxy: ${messageOf(error)}`, {
      hint: "check the network, or set GOPROXY to a proxy in reach",
      cause: error,
    });
  }
  const sources = new Map<string, string>();
  for (const { path, version, sum } of modules) {
    const { files, digest } = inModuleCache(path, version);
    const found = await readFile(digest, "utf8");
    if (found !== sum) throw new AshlarError("untrusted", `${path} ${version}: expected ${sum}, found ${found}`);
    sources.set(path, files);
  }
  return sources;
}

/** Go Modules Reference, "Module cache" and "GOPROXY protocol": capital letters are written as `!` and small ones. */
function inModuleCache(path: string, version: string): { readonly files: string; readonly digest: string } {
  const [name, at] = [path, version].map((text) => text.replaceAll(/[A-Z]/gu, (letter) => `!${letter.toLowerCase()}`));
  return {
    files: join(MODULE_CACHE, `${name}@${at}`),
    digest: join(MODULE_CACHE, "cache/download", name ?? "", "@v", `${at}.ziphash`),
  };
}

/** The source tree of the first module, with the others where it expects them. */
async function layOutTree(
  [main, ...siblings]: readonly [GoModule, ...GoModule[]],
  sources: Sources,
  tree: string,
): Promise<void> {
  await cp(sources.get(main.path) ?? "", tree, { recursive: true });
  // Lists of vendored packages and of workspaces, without what they list.
  for (const name of ["vendor", "go.work", "go.work.sum"]) await rm(join(tree, name), { recursive: true, force: true });
  const goMod = await readFile(join(tree, "go.mod"), "utf8");
  const places = localReplacements(goMod);
  for (const [path, place] of places) {
    const directory = join(tree, place);
    await rm(directory, { recursive: true, force: true });
    const source = sources.get(path);
    if (source === undefined) {
      await mkdir(directory, { recursive: true });
      await writeFile(join(directory, "go.mod"), emptyModule(path));
      continue;
    }
    await cp(source, directory, { recursive: true });
    const published = await readFile(join(directory, "go.mod"), "utf8");
    await rm(join(directory, "go.mod"));
    await writeFile(join(directory, "go.mod"), withoutSiblingVersions(published, [...places.keys()]));
  }
  const misplaced = siblings.find(({ path }) => !places.has(path));
  if (misplaced !== undefined) {
    throw new AshlarError("invalid", `${misplaced.path}: expected a place for it in the go.mod of ${main.path}`);
  }
}

/** Only what we say decides about the result, not the user's own settings for Go; GOPROXY stays theirs. */
async function runGo(args: readonly string[], cwd: string, { goRoot, signal }: BuildGoOptions): Promise<void> {
  await mkdir(GO_CACHE, { recursive: true });
  const isBuild = args[0] === "build";
  await run(join(goRoot, "bin/go"), args, {
    cwd,
    signal,
    env: {
      GOROOT: goRoot,
      GOPATH: join(GO_CACHE, "path"),
      GOMODCACHE: MODULE_CACHE,
      GOCACHE: join(GO_CACHE, "build"),
      GOFLAGS: ["-modcacherw", ...(isBuild ? ["-mod=readonly", "-trimpath", "-buildvcs=false"] : ["-mod=mod"])].join(
        " ",
      ),
      GOTOOLCHAIN: "local",
      GOSUMDB: "off",
      GOWORK: "off",
      GOOS: "linux",
      GOARCH: "amd64",
      GOAMD64: "v1",
      GOEXPERIMENT: "",
      GODEBUG: "",
      CGO_ENABLED: "0",
    },
  });
}
