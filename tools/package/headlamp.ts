/** What Headlamp's plugin catalogue installs: an archive, and the metadata of Artifact Hub that points at it. */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pluginFiles } from "@ashlar/headlamp";
import { stringify } from "yaml";
import type { ArchiveOptions } from "./krew.ts";
import { makeArchive } from "./tar.ts";

export type HeadlampRelease = {
  readonly version: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Where the archive will be. */
  readonly url: string;
  readonly sha256: string;
};

/** artifacthub-pkg.yml of a package of the kind "headlamp" (Headlamp's guide "Publishing plugins"). */
export function artifactHubPackage({ version, createdAt, url, sha256 }: HeadlampRelease): string {
  return stringify({
    version,
    name: "ashlar",
    displayName: "Ashlar",
    createdAt,
    description:
      "What is proved of nodes: level, release, identity, next boot, and the chain from firmware to extensions",
    license: "Apache-2.0",
    keywords: ["attestation", "immutable", "nodes", "tpm"],
    annotations: {
      "headlamp/plugin/archive-url": url,
      "headlamp/plugin/archive-checksum": `SHA256:${sha256}`,
      "headlamp/plugin/version-compat": ">=0.45",
      "headlamp/plugin/distro-compat": "in-cluster,web,docker-desktop,desktop",
    },
  });
}

/** @returns the paths of archive and metadata */
export async function makeHeadlampPackage(options: Omit<ArchiveOptions, "tree">): Promise<readonly string[]> {
  const { directory, version, base, time, onStep } = options;
  const archive = join(directory, `ashlar-headlamp-${version}.tar.gz`);
  const metadata = join(directory, "artifacthub-pkg.yml");
  onStep(basename(archive));
  const published = await makeArchive(archive, { base, time }, async (own) => {
    // Headlamp unpacks it where its plugins are: the directory's name is the plugin's.
    await mkdir(join(own, "ashlar"), { recursive: true });
    for (const [name, text] of Object.entries(await pluginFiles(version)))
      await writeFile(join(own, "ashlar", name), text);
  });
  const createdAt = new Date(Number(time) * 1000).toISOString();
  await writeFile(metadata, artifactHubPackage({ version, createdAt, ...published }));
  return [archive, metadata];
}
