import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, type RunOptions } from "@ashlar/host";
import type { Archive } from "./apt-archive.ts";
import { type DebianTrees, sourceLines, type Step } from "./debian-trees.ts";

/**
 * A directory in which the machine's apt knows an archive's packages, and nothing of the machine.
 *
 * @param status what is installed, as dpkg lists it
 * @returns how apt's programs are run there
 */
export async function prepareApt(
  directory: string,
  status: string,
  archive: Archive,
  step: Step,
): Promise<Pick<RunOptions, "env" | "signal">> {
  for (const part of ["state/lists/partial", "cache/archives/partial"]) {
    await mkdir(join(directory, part), { recursive: true });
  }
  await writeFile(join(directory, "status"), status);
  await writeFile(join(directory, "sources.list"), sourceLines(archive).join("\n"));
  const settings = {
    Dir: "/",
    "Dir::State": join(directory, "state"),
    "Dir::State::status": join(directory, "status"),
    "Dir::Cache": join(directory, "cache"),
    "Dir::Etc::SourceList": join(directory, "sources.list"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::Etc::Preferences": "/dev/null",
    "Dir::Etc::PreferencesParts": "/dev/null",
    "APT::Architecture": "amd64",
    "APT::Architectures": "amd64",
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    ...(archive.snapshot && { "Acquire::Check-Valid-Until": "false" }),
  };
  const config = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  await writeFile(join(directory, "apt.conf"), config.join(""));
  const how = { env: { APT_CONFIG: join(directory, "apt.conf") }, signal: step.signal };
  await run("apt-get", ["--quiet", "update"], how);
  return how;
}

/** What is installed in the build tree, as dpkg lists it. */
export async function dpkgStatus({ buildTar }: Pick<DebianTrees, "buildTar">, step: Step): Promise<string> {
  const { stdout } = await run("tar", ["--extract", "--to-stdout", "--file", buildTar, "./var/lib/dpkg/status"], {
    signal: step.signal,
  });
  return stdout.toString("utf8");
}
