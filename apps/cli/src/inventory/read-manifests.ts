import { AshlarError } from "@ashlar/base";
import { reportLine } from "@ashlar/host/terminal";
import type { KnownNode, Manifests } from "@ashlar/inventory";
import { withInterruption } from "../interruption.ts";
import type { ManifestSources } from "../prove/prove-options.ts";

/**
 * The manifests of what nodes run: those at hand, and of a repository only what is missing then. Without its repository a node's
 * answer is unknown, which is no failure of the command.
 */
export async function readManifests(nodes: readonly KnownNode[], sources: ManifestSources): Promise<Manifests> {
  const { groupNodes, isReleaseOf, isWhole } = await import("@ashlar/inventory");
  const { readExtensionManifests, readPublishedManifests } = await import("@ashlar/verifier/declared");
  const releases = sources.releases.filter(isWhole);
  const extensions = await readExtensionManifests(sources.extensions);
  const { groups } = groupNodes(nodes);
  const running = groups.map((group) => group.running);
  const lacking = running.flatMap((each) =>
    each.release === null || releases.some((release) => isReleaseOf(release, each)) ? [] : [each.release],
  );
  const known = new Set(extensions.map(({ image }) => image.rootHash));
  const merged = running.flatMap((each) => each.extensions).filter(({ rootHash }) => !known.has(rootHash));
  const wanted = new Map(
    merged.flatMap(({ name, version }) =>
      version === null ? [] : [[`${name} ${version}`, { name, version }] as const],
    ),
  );
  const { repository, recordPath } = sources;
  if (repository === undefined || (lacking.length === 0 && wanted.size === 0)) return { releases, extensions };
  try {
    const published = await withInterruption(async (signal) =>
      readPublishedManifests(repository, recordPath, { releases: lacking, extensions: [...wanted.values()] }, signal),
    );
    return { releases: [...releases, ...published.releases], extensions: [...extensions, ...published.extensions] };
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code === "interrupted") throw error;
    reportLine(`the repository ${repository.releases} is left out: ${error.message}`);
    return { releases, extensions };
  }
}
