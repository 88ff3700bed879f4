import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A file NAME.deb of an archive. */
export type PackageArchive = {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of the file, as the archive's signed index has it. */
  readonly sha256: string;
};

const ARCHIVES_FILE = "archives.json";

/** Keeps beside the result of a build step which packages it was made with. */
export async function keepArchives(directory: string, archives: readonly PackageArchive[]): Promise<void> {
  const kept = archives.map(({ name, version, architecture, sha256 }) => ({ name, version, architecture, sha256 }));
  await writeFile(join(directory, ARCHIVES_FILE), JSON.stringify(kept));
}

/** Of a build step in the user's own cache, where {@link keepArchives} has put them. */
export async function keptArchives(directory: string): Promise<readonly PackageArchive[]> {
  const archives: PackageArchive[] = JSON.parse(await readFile(join(directory, ARCHIVES_FILE), "utf8"));
  return archives;
}
