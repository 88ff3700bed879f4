import { matchesGlob } from "node:path/posix";
import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import { type Channel, findRelease, type RepositoryIndex } from "../model/repository-index.ts";

export type ReleaseWish = {
  /** The version that the node runs. */
  readonly running: string;
  /** Whose release is wanted; its minimum version holds for `to` as well. Default: stable. */
  readonly channel?: string | undefined;
  /** A version, instead of the channel's. */
  readonly to?: string | undefined;
  /** A glob such as `1.1.*` that the version must match. */
  readonly pin?: string | undefined;
  readonly allowDowngrade?: boolean | undefined;
  /** Versions that have failed on the node. */
  readonly failed: readonly string[];
  /** Also one of these. */
  readonly retry?: boolean | undefined;
};

const DEFAULT_CHANNEL = "stable";

/**
 * Which release the node shall have: `running` when it has the right one, or a newer one than its channel.
 *
 * @throws AshlarError that says why not: `not-found` (channel, version), `invalid` (withdrawn, below the channel's minimum,
 *   older than the running one, not what the node is pinned to), `conflict` (has failed on the node before)
 */
export function chooseRelease(index: RepositoryIndex, wish: ReleaseWish): string {
  const channelName = wish.channel ?? DEFAULT_CHANNEL;
  const channel = index.channels.get(channelName);
  if (channel === undefined) {
    throw new AshlarError("not-found", `the repository has no channel ${channelName}`, {
      hint:
        index.channels.size === 0
          ? "it has no channels yet: promote a release to one"
          : `its channels are ${[...index.channels.keys()].join(", ")}`,
    });
  }
  const version = wish.to ?? newestOfChannel(index, channelName, channel, wish.pin);
  if (version === wish.running) return version;
  const { withdrawn } = findRelease(index, version);
  if (withdrawn !== undefined) refuse(`release ${version} was withdrawn at ${withdrawn.at}: ${withdrawn.reason}`);
  if (wish.pin !== undefined && !matchesGlob(version, wish.pin)) {
    refuse(
      `release ${version} does not match ${wish.pin}, to which the node is pinned`,
      "change the pin in its update.yaml",
    );
  }
  const { minimumVersion } = channel;
  if (compareVersions(version, minimumVersion) < 0) {
    refuse(`release ${version} is below ${minimumVersion}, the oldest that channel ${channelName} allows`);
  }
  if (compareVersions(version, wish.running) < 0 && wish.allowDowngrade !== true) {
    if (wish.to === undefined) return wish.running;
    refuse(
      `release ${version} is older than ${wish.running} (currently running)`,
      "use --allow-downgrade if that is what you want",
    );
  }
  if (wish.failed.includes(version) && wish.retry !== true) {
    throw new AshlarError("conflict", `release ${version} has failed on this node before`, {
      hint: "look at why with `ashlar update`'s report; --retry tries it again",
    });
  }
  return version;
}

/** With a pin, the newest that matches it, of what the channel has reached. */
function newestOfChannel(index: RepositoryIndex, name: string, channel: Channel, pin: string | undefined): string {
  if (pin === undefined || matchesGlob(channel.version, pin)) return channel.version;
  const [newest] = [...index.releases.values()]
    .filter(({ version, withdrawn }) => withdrawn === undefined && matchesGlob(version, pin))
    .map(({ version }) => version)
    .filter((version) => compareVersions(version, channel.version) < 0)
    .toSorted((a, b) => compareVersions(b, a));
  if (newest !== undefined) return newest;
  return refuse(
    `channel ${name} has ${channel.version}, and no release before it matches ${pin}, to which the node is pinned`,
    "change the pin in its update.yaml",
  );
}

function refuse(message: string, hint?: string): never {
  throw new AshlarError("invalid", message, hint === undefined ? {} : { hint });
}
