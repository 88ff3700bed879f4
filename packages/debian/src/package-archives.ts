import { join } from "node:path";
import { basename } from "node:path/posix";
import { AshlarError, SHA256_HEX } from "@ashlar/base";
import { run, withTemporaryDirectory } from "@ashlar/host";
import type { Archive } from "./apt-archive.ts";
import { dpkgStatus, prepareApt } from "./apt-lists.ts";
import { cachedStep } from "./build-cache.ts";
import type { DebianTrees, Step } from "./debian-trees.ts";
import { keepArchives, keptArchives, type PackageArchive } from "./kept-archives.ts";

/**
 * Reads what `apt-cache show` says of packages: stanzas as in an archive's index (Debian repository format, "Packages
 * Indices"). What several archives offer is there once.
 *
 * @throws AshlarError `malformed` for a package without a SHA-256: where it came from could not be told
 */
export function parsePackageArchives(text: string): PackageArchive[] {
  const archives = new Map<string, PackageArchive>();
  for (const stanza of text.split(/\n{2,}/u)) {
    if (stanza.trim() === "") continue;
    const field = (name: string): string => new RegExp(`^${name}: (.+)$`, "mu").exec(stanza)?.[1]?.trim() ?? "";
    const [name, version, architecture] = [field("Package"), field("Version"), field("Architecture")];
    const sha256 = field("SHA256");
    if (!SHA256_HEX.test(sha256)) {
      throw new AshlarError("malformed", `apt: expected the SHA-256 of ${name} ${version}, found ${sha256 || "none"}`, {
        hint: "the archive's index lacks it: name another archive with --mirror",
      });
    }
    archives.set(`${name} ${version}`, { name, version, architecture, sha256 });
  }
  return [...archives.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The archives of all packages of the node and of what builds it: some of a node's give way to those that build, as
 * initramfs-tools to dracut. The trees are named by the archive's indexes: what apt reads there now is what they were made from.
 *
 * @throws AshlarError `malformed` when a package is not in the archive, `failed` with apt's words
 */
export async function readPackageArchives(
  trees: DebianTrees,
  archive: Archive,
  step: Step,
): Promise<readonly PackageArchive[]> {
  const { directory } = await cachedStep("archives", { format: 3, trees: basename(trees.key) }, async (out) => {
    step.onProgress("reading which archives the packages came from");
    const status = await dpkgStatus(trees, step);
    const installed = new Map(
      [...trees.packages, ...parseInstalled(status)].map(({ name, version }) => [
        `${name} ${version}`,
        { name, version },
      ]),
    );
    const text = await withTemporaryDirectory(async (work) => {
      const how = await prepareApt(join(work, "apt"), "", archive, step);
      const { stdout } = await run(
        "apt-cache",
        ["show", ...installed.values().map(({ name, version }) => `${name}=${version}`)],
        how,
      );
      return stdout.toString("utf8");
    });
    const found = new Map(parsePackageArchives(text).map((each) => [`${each.name} ${each.version}`, each]));
    const archives = installed.keys().map((key) => {
      const each = found.get(key);
      if (each !== undefined) return each;
      throw new AshlarError("malformed", `apt: expected ${key} in the archive, found none`, {
        hint: "the archive has changed meanwhile: build again",
      });
    });
    await keepArchives(
      out,
      [...archives].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
  });
  return await keptArchives(directory);
}

/**
 * Of dpkg's list: the packages whose files are there. A package that waits for a trigger is one of them (dpkg(1), "Package
 * states").
 */
export function parseInstalled(status: string): { readonly name: string; readonly version: string }[] {
  return status.split(/\n{2,}/u).flatMap((stanza) => {
    const field = (name: string): string => new RegExp(`^${name}: (.+)$`, "mu").exec(stanza)?.[1]?.trim() ?? "";
    const isThere = /^\S+ \S+ (?!(?:not-installed|config-files)$)\S+$/u.test(field("Status"));
    return isThere ? [{ name: field("Package"), version: field("Version") }] : [];
  });
}
