import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path/posix";

/** A workspace as it is on disk. Paths are relative to the repository. */
export type Workspace = {
  readonly directory: string;
  readonly name: string;
  /** What others may import: the package's name and, rarely, a sub-path that `exports` opens. */
  readonly doors: readonly string[];
  /** The file behind each door. */
  readonly doorFiles?: ReadonlyMap<string, string>;
  /** Names of every package that package.json declares. */
  readonly declared: readonly string[];
  /** Directories that tsconfig.json refers to. */
  readonly references: readonly string[];
  readonly files: readonly SourceFile[];
};

export type SourceFile = { readonly path: string; readonly text: string };

type PackageJson = {
  name: string;
  exports?: string | Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
};
type TsConfig = { references?: { path: string }[] };

export async function readWorkspaces(): Promise<Workspace[]> {
  const manifests = globSync(["packages/*/package.json", "apps/*/package.json", "{test,tools}/package.json"]);
  return await Promise.all(
    manifests.toSorted().map(async (path) => await readWorkspace(path.replace("/package.json", ""))),
  );
}

async function readWorkspace(directory: string): Promise<Workspace> {
  const manifest = await readJson<PackageJson>(`${directory}/package.json`);
  const config = await readJson<TsConfig>(`${directory}/tsconfig.json`);
  const paths = globSync(`${directory}/**/*.{ts,tsx}`, { exclude: ["**/node_modules/**"] });
  return {
    directory,
    name: manifest.name,
    doors: [...doorsOf(manifest, directory).keys()],
    doorFiles: doorsOf(manifest, directory),
    declared: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }),
    references: (config.references ?? []).map(({ path }) => normalize(join(directory, path))),
    files: await Promise.all(paths.toSorted().map(async (path) => ({ path, text: await readFile(path, "utf8") }))),
  };
}

function doorsOf({ name, exports = {} }: PackageJson, directory: string): Map<string, string> {
  const entries = Object.entries(typeof exports === "string" ? { ".": exports } : exports);
  return new Map(entries.map(([path, file]) => [path.replace(".", name), normalize(join(directory, file))]));
}

/** Files of this repository, not outside bytes: npm and tsc refuse them before a wrong shape could matter here. */
async function readJson<T>(path: string): Promise<T> {
  const value: T = JSON.parse(await readFile(path, "utf8"));
  return value;
}
