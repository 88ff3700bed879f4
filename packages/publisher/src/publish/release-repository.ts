import { hash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import {
  addRelease,
  EMPTY_INDEX,
  nextChannel,
  pointChannel,
  withdrawRelease,
  checkChannelName,
  type ReleaseEntry,
  type RepositoryIndex,
} from "@ashlar/repository-index";
import { changeIndex, type ChangeOptions, checkReason, DEFAULT_LIFETIMES, readState } from "./change-index.ts";
import { readBuiltImage, type BuiltImage } from "./image-directory.ts";
import { writeReleaseFiles } from "./release-files.ts";
import { RepositoryFiles } from "./repository-files.ts";
import { readRoot, renewRoot, signFirstRoot } from "./root-role.ts";
import { goodSigners, isDue, signersFor } from "./sign-role.ts";
import { readSignedState, writeSignedState } from "./signed-state.ts";
import { writeSums } from "./sums-directories.ts";

/**
 * Makes an empty repository, and the keys that are missing. On a repository that exists already it changes nothing.
 *
 * @throws AshlarError `conflict` when the repository belongs to other keys
 */
export async function initRepository(
  options: ChangeOptions,
  choosePassphrase: () => Promise<string | undefined>,
): Promise<{ readonly isNew: boolean }> {
  const { keys, nowMs, lifetimes = DEFAULT_LIFETIMES } = options;
  await keys.create(choosePassphrase);
  await mkdir(options.repository, { recursive: true });
  return await RepositoryFiles.change(options.repository, "ashlar release init", async (files) => {
    if (await files.has("metadata/timestamp.json")) {
      if ((await keys.trustedRoot()) === undefined) {
        throw new AshlarError("conflict", `${files.root} belongs to other keys than those in ${keys.path}`, {
          hint: "give the directory with its keys, or another directory for the new repository",
        });
      }
      await readSignedState(files, keys);
      return { isNew: false };
    }
    const root = (await keys.trustedRoot()) ?? (await signFirstRoot(keys, nowMs, lifetimes.roleDays));
    await keys.keepTrustedRoot(root);
    const { signed } = readRoot(root);
    for (const [version, bytes] of await keys.oldRoots())
      if (version < signed.version) await files.write(`metadata/${version}.root.json`, bytes);
    await files.write(`metadata/${signed.version}.root.json`, root);
    await writeSignedState(files, signersFor(keys, signed), {
      previous: undefined,
      index: EMPTY_INDEX,
      nowMs,
      lifetimes,
    });
    return { isNew: true };
  });
}

export type PublishOptions = ChangeOptions & {
  /** A directory that `ashlar image build` made. */
  readonly image: string;
  readonly channel: string;
  readonly minimumVersion?: string;
  /** Of the files for plain systemd-sysupdate: 0 to 9, as for xz. */
  readonly compressionLevel?: number;
};

/**
 * Publishes a release and makes a channel point at it. Repeating it with the same image changes nothing.
 *
 * @throws AshlarError `conflict` when the version exists with other bytes, or the channel has a newer one; and what
 *   {@link readBuiltImage} throws
 */
export async function publishRelease(options: PublishOptions): Promise<ReleaseEntry> {
  const { channel, minimumVersion, compressionLevel, signal, onProgress = () => undefined } = options;
  checkChannelName(channel);
  return await changeIndex(options, "ashlar release publish", async (index, files, signers) => {
    onProgress(`checking the image in ${options.image}`);
    const image = await readBuiltImage(options.image, signal);
    const { version } = image.manifest;
    const existing = index.releases.get(version);
    if (existing !== undefined) expectSameImage(existing, image);
    const current = index.channels.get(channel)?.version;
    if (current !== undefined && compareVersions(version, current) < 0) {
      throw new AshlarError("conflict", `channel ${channel} has ${current} already, which is newer than ${version}`, {
        hint: "publish into another channel; `ashlar release promote` can also take a channel back",
      });
    }
    // Before the long work of compressing: whether the channel may have it at all.
    nextChannel(index.channels.get(channel), channel, version, minimumVersion);
    const release =
      existing ?? (await writeReleaseFiles(files, image, { compressionLevel, signers, signal, onProgress }));
    return { index: pointChannel(addRelease(index, release), channel, version, minimumVersion), result: release };
  });
}

function expectSameImage({ version, files }: ReleaseEntry, { manifestBytes, sbomBytes }: BuiltImage): void {
  const isSame =
    files.manifest.sha256 === hash("sha256", manifestBytes) && files.sbom.sha256 === hash("sha256", sbomBytes);
  if (isSame) return;
  throw new AshlarError("conflict", `release ${version} exists with other bytes`, {
    hint: "a published release never changes: build the image as a new version",
  });
}

/** @throws AshlarError `not-found`, `conflict` for a withdrawn release, `invalid` for one below the channel's minimum */
export async function promoteRelease(
  options: ChangeOptions & { readonly version: string; readonly channel: string; readonly minimumVersion?: string },
): Promise<ReleaseEntry> {
  const { version, channel, minimumVersion } = options;
  checkChannelName(channel);
  return await changeIndex(options, "ashlar release promote", async (current) => {
    const index = pointChannel(current, channel, version, minimumVersion);
    const release = index.releases.get(version);
    if (release === undefined) throw new RangeError("a channel points at a release that is there");
    return { index, result: release };
  });
}

/**
 * Says that a release must not be installed any more. Channels that point at it go on to do so, and offer nothing new,
 * until another release is promoted or published.
 *
 * @returns the names of those channels
 * @throws AshlarError `not-found`, `usage` for a reason that is empty or too long
 */
export async function withdrawFromRepository(
  options: ChangeOptions & { readonly version: string; readonly reason: string },
): Promise<string[]> {
  const { version, reason, nowMs } = options;
  checkReason(reason);
  return await changeIndex(options, "ashlar release withdraw", async (current) => {
    const index = withdrawRelease(current, version, reason, new Date(nowMs).toISOString());
    const channels = [...index.channels].filter(([, target]) => target.version === version).map(([name]) => name);
    return { index, result: channels };
  });
}

export type RefreshResult = {
  readonly renewed: readonly RoleName[];
  /** Roles that will expire and that the key directory cannot renew. */
  readonly due: readonly DueRole[];
};
export type DueRole = {
  readonly role: RoleName;
  readonly expires: string;
  /** Its key, or the signatures of others: the role has a threshold. */
  readonly missing: "key" | "signatures";
};
type RoleName = "root" | "targets" | "snapshot" | "timestamp";

/**
 * Signs the dates anew: always of timestamp and snapshot, for which `online.pem` is enough, and of the other roles when
 * less than half of their life is left and their key is there.
 */
export async function refreshRepository(options: ChangeOptions): Promise<RefreshResult> {
  const { keys, nowMs, lifetimes = DEFAULT_LIFETIMES } = options;
  return await RepositoryFiles.change(options.repository, "ashlar release refresh", async (files) => {
    const state = await readState(files, keys);
    const renewed: RoleName[] = ["timestamp", "snapshot"];
    const due: DueRole[] = [];
    const lack = (role: "root" | "targets", missing: DueRole["missing"]): void => {
      due.push({ role, expires: state[role].expires, missing });
    };
    let root = state.root.metadata.signed;
    if (isDue(state.root, nowMs, lifetimes.roleDays)) {
      const next = await renewRoot(keys, state.root.bytes, nowMs, lifetimes.roleDays);
      if (next === undefined) lack("root", (await keys.has("root")) ? "signatures" : "key");
      else {
        await files.write(`metadata/${root.version + 1}.root.json`, next);
        await keys.keepTrustedRoot(next);
        root = readRoot(next).signed;
        renewed.push("root");
      }
    }
    let index: RepositoryIndex | undefined;
    if (isDue(state.targets, nowMs, lifetimes.roleDays)) {
      if ((await goodSigners(keys, root, "targets")).length === 0) lack("targets", "key");
      else {
        index = state.index;
        renewed.push("targets");
      }
    }
    await writeSignedState(files, signersFor(keys, root), { previous: state, index, nowMs, lifetimes });
    if (await keys.has("sums")) await writeSums(files, state.index, await keys.sumsKey());
    return { renewed, due };
  });
}
