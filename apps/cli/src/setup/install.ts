import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { run, runForText } from "@ashlar/host";
import { sourceEntryBeside, type SourceFile } from "./apt-sources.ts";
import { aptCommands, type PackageToInstall, type SuiteToAdd } from "./plan.ts";

const SOURCES_DIRECTORY = "/etc/apt/sources.list.d";

/** No package may ask a question, and another apt that runs just now is waited for. */
const APT_ENVIRONMENT = { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" };
const APT_OPTIONS = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"];

/** Installs Debian packages. `say` gets a line for each thing that changes on the machine. */
export async function installPackages(
  packages: readonly PackageToInstall[],
  suite: SuiteToAdd | undefined,
  say: (line: string) => void,
): Promise<void> {
  const added = suite !== undefined && (await addSuite(suite, say));
  const fresh = added || !(await areAllKnown(packages));
  if (fresh) await updateLists(say);
  for (const { name, why } of packages) say(`installing ${name}: ${why}`);
  try {
    await installAll(packages);
  } catch (error) {
    if (fresh || !(error instanceof AshlarError) || error.code !== "failed") throw error;
    // Lists that are days old name packages that the mirror has replaced since.
    say("that failed; once more with fresh lists");
    await updateLists(say);
    await installAll(packages);
  }
}

async function installAll(packages: readonly PackageToInstall[]): Promise<void> {
  for (const args of aptCommands(packages)) await apt(args);
}

async function updateLists(say: (line: string) => void): Promise<void> {
  say("reading the package lists of the configured mirrors (apt-get update)");
  await apt(["update"]);
}

async function apt(args: readonly string[]): Promise<void> {
  await run("apt-get", ["-qq", ...APT_OPTIONS, ...args], { env: APT_ENVIRONMENT });
}

/** Whether apt knows a version of each package to install, from the suite that it has to come from. */
async function areAllKnown(packages: readonly PackageToInstall[]): Promise<boolean> {
  for (const { name, suite } of packages) {
    const versions = await runForText("apt-cache", ["madison", name]);
    if (!versions.split("\n").some((line) => line.includes(suite === undefined ? name : ` ${suite}/`))) return false;
  }
  return true;
}

async function addSuite({ suite, of }: SuiteToAdd, say: (line: string) => void): Promise<boolean> {
  const entry = sourceEntryBeside(await readSources(), of, suite);
  if (entry === "present") return false;
  if (entry === undefined) {
    throw new AshlarError("not-found", `expected a source entry for ${of} in apt's configuration, found none`, {
      hint: `add the suite ${suite} yourself, see sources.list(5)`,
    });
  }
  const path = join(SOURCES_DIRECTORY, `ashlar-${suite}.${entry.extension}`);
  say(`adding the suite ${suite} in ${path}, from the mirror that serves ${of}`);
  await writeFile(
    path,
    `# Added by \`ashlar setup\`: ${of} has some programs in releases that are too old.\n${entry.text}`,
  );
  return true;
}

async function readSources(): Promise<SourceFile[]> {
  const names = await readdir(SOURCES_DIRECTORY).catch(() => []);
  const paths = names.filter((name) => /\.(?:list|sources)$/u.test(name)).map((name) => join(SOURCES_DIRECTORY, name));
  const files = ["/etc/apt/sources.list", ...paths].map(async (path) => ({
    path,
    text: await readFile(path, "utf8").catch(() => ""),
  }));
  return await Promise.all(files);
}
