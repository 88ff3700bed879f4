import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import type { Channel, ReleaseEntry, RepositoryIndex } from "./repository-index.ts";

/** What the commands change, as functions from an index to the next one. The serial is for whoever signs it. */

export const EMPTY_INDEX: RepositoryIndex = {
  serial: 0,
  channels: new Map(),
  releases: new Map(),
  extensions: new Map(),
};

export function addRelease(index: RepositoryIndex, release: ReleaseEntry): RepositoryIndex {
  return { ...index, releases: new Map(index.releases).set(release.version, release) };
}

/**
 * Makes a channel point at a release.
 *
 * @param minimumVersion the channel's own when not given
 * @throws AshlarError `not-found`, `conflict` for a withdrawn release, and what {@link nextChannel} throws
 */
export function pointChannel(
  index: RepositoryIndex,
  name: string,
  version: string,
  minimumVersion?: string,
): RepositoryIndex {
  const { withdrawn } = findPublished(index, version);
  if (withdrawn !== undefined) {
    throw new AshlarError("conflict", `release ${version} was withdrawn: ${withdrawn.reason}`, {
      hint: "publish what was repaired as a new version",
    });
  }
  const channel = nextChannel(index.channels.get(name), name, version, minimumVersion);
  return { ...index, channels: new Map(index.channels).set(name, channel) };
}

/** @throws AshlarError `invalid` for a version below the minimum, or a minimum that falls */
export function nextChannel(
  current: Channel | undefined,
  name: string,
  version: string,
  minimumVersion: string = current?.minimumVersion ?? NO_MINIMUM,
): Channel {
  if (current !== undefined && compareVersions(minimumVersion, current.minimumVersion) < 0) {
    throw new AshlarError(
      "invalid",
      `channel ${name}: expected a minimum version of at least ${current.minimumVersion}, found ${minimumVersion}`,
      { hint: "a minimum only rises: nodes rely on it" },
    );
  }
  if (compareVersions(version, minimumVersion) < 0) {
    throw new AshlarError(
      "invalid",
      `channel ${name}: expected at least its minimum version ${minimumVersion}, found ${version}`,
    );
  }
  return { version, minimumVersion };
}

/** Older than every release. */
const NO_MINIMUM = "0";

/** @throws AshlarError `not-found` */
export function withdrawRelease(index: RepositoryIndex, version: string, reason: string, at: string): RepositoryIndex {
  const release = findPublished(index, version);
  return addRelease(index, { ...release, withdrawn: { reason, at: release.withdrawn?.at ?? at } });
}

/** Keeps the newest releases, and whatever a channel points at. */
export function keepNewest(index: RepositoryIndex, count: number): RepositoryIndex {
  const pointedAt = new Set([...index.channels.values()].map(({ version }) => version));
  const newest = new Set(sortedReleases(index).slice(0, count));
  const kept = [...index.releases].filter(([version, entry]) => newest.has(entry) || pointedAt.has(version));
  return { ...index, releases: new Map(kept) };
}

/** What plain systemd-sysupdate is offered: it installs the newest of them. */
export function offeredReleases(index: RepositoryIndex, { version, minimumVersion }: Channel): ReleaseEntry[] {
  return sortedReleases(index).filter(
    (release) =>
      release.withdrawn === undefined &&
      compareVersions(release.version, version) <= 0 &&
      compareVersions(release.version, minimumVersion) >= 0,
  );
}

/** The newest first. */
export function sortedReleases(index: RepositoryIndex): ReleaseEntry[] {
  return [...index.releases.values()].toSorted((a, b) => compareVersions(b.version, a.version));
}

function findPublished(index: RepositoryIndex, version: string): ReleaseEntry {
  const release = index.releases.get(version);
  if (release !== undefined) return release;
  const known = sortedReleases(index).map((each) => each.version);
  throw new AshlarError("not-found", `expected a published release, found ${version}`, {
    hint: known.length === 0 ? "nothing is published yet" : `published are ${known.slice(0, 10).join(", ")}`,
  });
}
