import { dirname } from "node:path";
import { stateDirectory } from "@ashlar/host";
import type { ExtensionManifest } from "@ashlar/protocol";
import { parseExtensionManifest, parseManifest, type ReleaseManifest } from "@ashlar/protocol/answers";
import type { RepositoryPlace } from "./release-repository.ts";

export type WantedManifests = {
  /** Versions. */
  readonly releases: readonly string[];
  readonly extensions: readonly { readonly name: string; readonly version: string }[];
};

export type PublishedManifests = {
  readonly releases: readonly ReleaseManifest[];
  readonly extensions: readonly ExtensionManifest[];
};

/**
 * Whole manifests, with packages and files, out of a repository, each checked by the signed digest. What the repository does not
 * have is left out.
 *
 * @param recordPath of updates, beside which is remembered what was seen of the repository
 * @throws AshlarError as `openReleases` and `parseManifest`
 */
export async function readPublishedManifests(
  place: RepositoryPlace,
  recordPath: string | undefined,
  wanted: WantedManifests,
  signal?: AbortSignal,
): Promise<PublishedManifests> {
  // What reads a repository takes longer to load than everything else here.
  const { openReleases } = await import("./release-repository.ts");
  const state = recordPath === undefined ? stateDirectory() : dirname(recordPath);
  const { index, readFile, readExtensionFile } = await openReleases(place, state, signal);
  const releases: ReleaseManifest[] = [];
  for (const version of new Set(wanted.releases)) {
    if (index.releases.has(version))
      releases.push(parseManifest((await readFile(version, "manifest")).toString("utf8")));
  }
  const extensions: ExtensionManifest[] = [];
  for (const { name, version } of wanted.extensions) {
    if (index.extensions.get(name)?.has(version) !== true) continue;
    extensions.push(parseExtensionManifest((await readExtensionFile(name, version, "manifest")).toString("utf8")));
  }
  return { releases, extensions };
}
