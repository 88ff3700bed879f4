import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import type { RepositoryIndex } from "@ashlar/repository-index";

/** The channel whose minimum version holds when none is named; the one that nodes follow by themselves unless told. */
const DEFAULT_CHANNEL = "stable";

export type Wish = {
  /** Default: the channel's. */
  readonly version?: string | undefined;
  readonly channel?: string | undefined;
};

/**
 * The version that nodes shall run.
 *
 * @throws AshlarError `not-found` without such a channel or release, `invalid` when the release has been withdrawn or is
 * below the channel's minimum version
 */
export function chooseTarget(index: RepositoryIndex, wish: Wish): string {
  const name = wish.channel ?? DEFAULT_CHANNEL;
  const channel = index.channels.get(name);
  if (channel === undefined) {
    const names = [...index.channels.keys()].join(", ");
    throw new AshlarError("not-found", `expected the channel ${name} in the repository, found ${names || "none"}`, {
      hint: "name one with --channel: its minimum version holds, also with --to",
    });
  }
  const version = wish.version ?? channel.version;
  const release = index.releases.get(version);
  if (release === undefined) {
    throw new AshlarError("not-found", `the repository has no release ${version}`, {
      hint: "`ashlar release list` shows what it has",
    });
  }
  if (release.withdrawn !== undefined) {
    throw new AshlarError("invalid", `${version} has been withdrawn: ${release.withdrawn.reason}`);
  }
  requireMinimum(index, name, version);
  return version;
}

/** @throws AshlarError `invalid` when the version is below what a channel's nodes may run */
export function requireMinimum(index: RepositoryIndex, channel: string | undefined, version: string): void {
  const name = channel ?? DEFAULT_CHANNEL;
  const minimum = index.channels.get(name)?.minimumVersion;
  if (minimum === undefined || compareVersions(version, minimum) >= 0) return;
  throw new AshlarError("invalid", `${version} is below ${minimum}, the minimum version of channel ${name}`, {
    hint: "nodes refuse it, whatever is ordered",
  });
}
