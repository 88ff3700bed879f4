import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a node is made of, as the plain data of the folder `os/` says. */
export type OsDefinition = {
  /** The folder itself: `usr/` and `etc/` mirror the node's tree, `initrd/` holds the dracut module. */
  readonly directory: string;
  readonly packages: readonly string[];
  readonly buildPackages: readonly string[];
  /** Globs below the root that are removed from the shipped tree. */
  readonly remove: readonly string[];
  readonly maskedUnits: readonly string[];
  /** Kernel modules (regular expressions, as dracut takes them) that the initrd leaves out. */
  readonly omittedInitrdDrivers: readonly string[];
  /** Words of the kernel command line, without `usrhash=`. */
  readonly commandLine: readonly string[];
};

const OS_DIRECTORY: string = fileURLToPath(new URL("../../../os", import.meta.url));

export async function readOsDefinition(directory: string = OS_DIRECTORY): Promise<OsDefinition> {
  const list = async (name: string): Promise<string[]> => parseList(await readFile(join(directory, name), "utf8"));
  return {
    directory,
    packages: await list("packages.list"),
    buildPackages: await list("build-packages.list"),
    remove: await list("remove.list"),
    maskedUnits: await list("masked-units.list"),
    omittedInitrdDrivers: await list("initrd/omitted-drivers.list"),
    commandLine: await list("cmdline"),
  };
}

/** One entry a line; empty lines and lines that begin with `#` say nothing. */
function parseList(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
