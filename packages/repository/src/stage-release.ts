import type { UpdateProgress } from "@ashlar/protocol";
import { findRelease, type ReleaseSummary } from "@ashlar/repository-index";
import { allOrNone } from "./all-or-none.ts";
import { collectFiles, ProgressCounter } from "./collect-files.ts";
import type { Repository } from "./open-repository.ts";
import type { SlotSource } from "./slot-source.ts";
import type { JudgedSources } from "./stage-image.ts";
import { stageFile } from "./stage-uki.ts";
import { stageUsr } from "./stage-usr.ts";
import { createThrottle } from "./transport/throttle.ts";

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

/**
 * Collects a release in a directory, in which afterwards are exactly three files, checked block by block and on the disk:
 * `ashlar_V_UUID.usr.raw`, `ashlar_V_UUID.usr-verity.raw` and `ashlar_V.efi`. May be stopped at any point, also by a power
 * cut, and called again: what is there is used after it has been hashed. Files of other releases are removed.
 *
 * @throws AshlarError `not-found` (the version), `untrusted`, `unavailable`, `malformed`, `interrupted`; `failed` when there
 *   is no room, after removing what had been collected
 */
export async function stageRelease(options: StageReleaseOptions): Promise<StagedRelease> {
  const { repository, version, sources, directory, signal } = options;
  const { transport } = repository;
  const { files } = findRelease(repository.index, version);
  const summary = await repository.readSummary(version);
  const { usr, uki } = summary;
  const wanted = {
    data: { name: `ashlar_${version}_${usr.dataPartitionUuid}.usr.raw`, sizeBytes: usr.dataSizeBytes },
    tree: { name: `ashlar_${version}_${usr.hashPartitionUuid}.usr-verity.raw`, sizeBytes: usr.verity.sizeBytes },
    uki: { name: `ashlar_${version}.efi`, sizeBytes: uki.sizeBytes },
  };
  const counter = new ProgressCounter(usr.dataSizeBytes + usr.verity.sizeBytes + uki.sizeBytes, options.onProgress);
  const { onCopied, onFetched } = counter;
  const throttle = createThrottle(options.maxBytesPerSecond);
  return await collectFiles(directory, wanted, async (parts) => {
    const { name, sizeBytes } = files.usrBlocks;
    const blocksFile = { transport, path: `releases/${name}`, sizeBytes, throttle, onFetched };
    const usrOptions = { summary, sources, dataPath: parts.data, treePath: parts.tree, onCopied };
    let ukiBytes = 0;
    const onUkiFetched = (bytes: number): void => {
      ukiBytes += bytes;
      onFetched(bytes);
    };
    const ukiOptions = { transport, published: files.uki, path: parts.uki, throttle, onFetched: onUkiFetched };
    // The network has time for the one while the other is copied from the disk.
    const [judged] = await allOrNone(
      [
        async (each) => await stageUsr({ ...usrOptions, blocksFile: { ...blocksFile, signal: each }, signal: each }),
        async (each) => {
          await stageFile({ ...ukiOptions, signal: each });
          // What an interrupted attempt has left.
          onCopied(Math.max(0, uki.sizeBytes - ukiBytes));
        },
      ],
      signal,
    );
    return { summary, ukiBytes, ...counter.progress, ...judged };
  });
}
