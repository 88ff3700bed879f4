import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { UpdateProgress } from "@ashlar/identity";
import type { ReleaseSummary } from "../model/release-summary.ts";
import { asNoRoom, checkRoom } from "./file-room.ts";
import { findRelease, type Repository } from "./open-repository.ts";
import type { SlotSource } from "./slot-source.ts";
import type { JudgedSources } from "./stage-image.ts";
import { stageFile } from "./stage-uki.ts";
import { stageUsr } from "./stage-usr.ts";
import { createThrottle } from "./throttle.ts";

export type StageReleaseOptions = {
  readonly repository: Repository;
  readonly version: string;
  /** Where blocks may lie already, the most trusted first. */
  readonly sources: readonly SlotSource[];
  /** Belongs to this function; made when missing. One caller at a time. */
  readonly directory: string;
  /** Of the network. Default: as fast as it goes. */
  readonly maxBytesPerSecond?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: UpdateProgress) => void) | undefined;
};

export type StagedRelease = UpdateProgress &
  JudgedSources & {
    readonly summary: ReleaseSummary;
    /** Of the UKI, which is fetched whole and not counted in the progress. */
    readonly ukiBytes: number;
  };

const PART = ".part";

/**
 * Collects a release in a directory, in which afterwards are exactly three files, checked block by block and on the disk:
 * `ashlar_V_UUID.usr.raw`, `ashlar_V_UUID.usr-verity.raw` and `ashlar_V.efi`. May be stopped at any point, also by a power
 * cut, and called again: what is there is used after it has been hashed. Files of other releases are removed.
 *
 * @throws AshlarError `not-found` (the version), `untrusted`, `unavailable`, `malformed`, `interrupted`; `failed` when there
 *   is no room, after removing what had been collected
 */
export async function stageRelease(options: StageReleaseOptions): Promise<StagedRelease> {
  const { repository, version, directory, signal } = options;
  const { files } = findRelease(repository.index, version);
  const summary = await repository.readSummary(version);
  const { usr } = summary;
  const names = {
    data: `ashlar_${version}_${usr.dataPartitionUuid}.usr.raw`,
    tree: `ashlar_${version}_${usr.hashPartitionUuid}.usr-verity.raw`,
    uki: `ashlar_${version}.efi`,
  };
  const partOf = (name: string): string => join(directory, name + PART);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await takeUpParts(directory, Object.values(names));

  let [ukiBytes, fetchedBytes, copiedBytes] = [0, 0, 0];
  const report = (): void => {
    options.onProgress?.({ totalBytes: usr.dataSizeBytes + usr.verity.sizeBytes, copiedBytes, fetchedBytes });
  };
  const throttle = createThrottle(options.maxBytesPerSecond);
  try {
    await checkRoom(directory, [
      { path: partOf(names.data), sizeBytes: usr.dataSizeBytes },
      { path: partOf(names.tree), sizeBytes: usr.verity.sizeBytes },
      { path: partOf(names.uki), sizeBytes: summary.uki.sizeBytes },
    ]);
    const staged = await stageUsr({
      summary,
      sources: options.sources,
      dataPath: partOf(names.data),
      treePath: partOf(names.tree),
      signal,
      blocksFile: {
        transport: repository.transport,
        path: `releases/${files.usrBlocks.name}`,
        sizeBytes: files.usrBlocks.sizeBytes,
        throttle,
        signal,
        onFetched: (bytes) => {
          fetchedBytes += bytes;
          report();
        },
      },
      onCopied: (bytes) => {
        copiedBytes += bytes;
        report();
      },
    });
    await stageFile({
      transport: repository.transport,
      published: files.uki,
      path: partOf(names.uki),
      throttle,
      signal,
      onFetched: (bytes) => void (ukiBytes += bytes),
    });
    for (const name of Object.values(names)) await rename(partOf(name), join(directory, name));
    await syncDirectory(directory);
    return {
      summary,
      totalBytes: usr.dataSizeBytes + usr.verity.sizeBytes,
      fetchedBytes,
      copiedBytes,
      ukiBytes,
      ...staged,
    };
  } catch (error) {
    const full = asNoRoom(directory, error);
    if (full === undefined) throw error;
    for (const name of Object.values(names)) await rm(partOf(name), { force: true });
    throw full;
  }
}

/** Removes other releases' files, and makes parts of this one's, which are checked again like any part. */
async function takeUpParts(directory: string, names: readonly string[]): Promise<void> {
  for (const name of await readdir(directory)) {
    if (names.includes(name)) await rename(join(directory, name), join(directory, name + PART));
    else if (!names.some((wanted) => name === wanted + PART)) await rm(join(directory, name), { recursive: true });
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}
