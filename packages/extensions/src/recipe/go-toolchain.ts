import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "@ashlar/host";
import {
  type ArchiveOptions,
  cachedStep,
  chooseArchive,
  downloadPackages,
  keepArchives,
  keptArchives,
  makeDebianTrees,
  type PackageArchive,
  readOsDefinition,
  type Step,
} from "@ashlar/debian";

export type GoToolchain = {
  readonly goRoot: string;
  /** For example go1.24.4. */
  readonly version: string;
  /** The packages that it is made of. */
  readonly archives: readonly PackageArchive[];
};

/** Of Debian's stable release: other machines make the same programs with it, whatever Go they have. */
const PACKAGE = "golang-1.24-go";
const GO_ROOT = "usr/lib/go-1.24";

/** Go from Debian's archive, unpacked once. It needs nothing else to build programs without C. */
export async function openGoToolchain(archive: ArchiveOptions, step: Step): Promise<GoToolchain> {
  const { directory } = await cachedStep("go", { format: 2, package: PACKAGE }, async (out) => {
    const chosen = await chooseArchive(archive);
    const trees = await makeDebianTrees(await readOsDefinition(), chosen, step);
    const downloaded = await downloadPackages([PACKAGE], trees, chosen, trees, step);
    await keepArchives(out, downloaded);
    for (const { path } of downloaded) {
      await run("dpkg-deb", ["--extract", path, out], { signal: step.signal });
    }
  });
  const goRoot = join(directory, GO_ROOT);
  const [version = ""] = (await readFile(join(goRoot, "VERSION"), "utf8")).split("\n");
  return { goRoot, version, archives: await keptArchives(directory) };
}
