/** What builds record of what they were made of, for provenance. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gitCommitOf } from "@ashlar/host";
import { packagePurl } from "@ashlar/inventory";
import type { Material, ProvenanceInput, Role } from "@ashlar/statements";
import type { PackageArchive } from "./kept-archives.ts";

const REPOSITORY: string = fileURLToPath(new URL("../../../", import.meta.url));

/** Debian packages, by the digests of their archives and the names that bills of materials have for them. */
export function packageMaterials(archives: readonly PackageArchive[], role: Role): Material[] {
  return archives.map(({ sha256, ...each }) => ({
    uri: packagePurl(each),
    digest: { sha256 },
    annotations: { role },
  }));
}

/** The commit of Ashlar itself; nothing where it is not a checkout without changes. */
export async function ownSource(signal: AbortSignal | undefined): Promise<Material[]> {
  const gitCommit = await gitCommitOf(REPOSITORY, signal);
  return gitCommit === undefined ? [] : [{ name: "ashlar", digest: { gitCommit }, annotations: { role: "source" } }];
}

/** Who builds: the platform as its owner calls it, and the program. */
export async function builderOf(id: string): Promise<ProvenanceInput["builder"]> {
  const { version }: { version: string } = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8"));
  return { id, version: { ashlar: version } };
}

/** An archive's options as parameters of a build: what was given, and nothing of the machine's own settings. */
export function archiveParameters(options: {
  readonly mirror?: string;
  readonly snapshot?: string;
  readonly suites?: string;
}): Record<string, string> {
  const { mirror, snapshot, suites } = options;
  return {
    ...(mirror !== undefined && { mirror }),
    ...(snapshot !== undefined && { snapshot }),
    ...(suites !== undefined && { suites }),
  };
}
