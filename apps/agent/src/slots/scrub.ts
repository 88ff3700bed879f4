import { run } from "@ashlar/host";
import { reportText } from "@ashlar/host/terminal";
import { type BadBlocks, findBadBlocks, findDamagedFiles, readWholeTree } from "@ashlar/volumes";
import type { NodePaths } from "../shared/node-paths.ts";
import { type DamagedBlock, type ScrubRecord, writeScrubRecords } from "./scrub-records.ts";
import type { Slot } from "./slots.ts";

/** The file system's root on the node. */
const MOUNT_POINT = "/usr";
const MAX_NAMED_BLOCKS = 64;
const MAX_NAMED_FILES = 4;
const BLOCK_BYTES = 4096;
const NONE_KNOWN: BadBlocks = { badBlockCount: 0, badBlocks: [] };

/**
 * Reads every block of some of a disk's slots, from the disk itself, and keeps what was found.
 *
 * @param good by a slot's label: 1 for blocks that were found good just now and need not be read again
 */
export async function scrubSlots(
  paths: Pick<NodePaths, "state">,
  slots: readonly Slot[],
  all: readonly Slot[],
  signal?: AbortSignal,
  good?: ReadonlyMap<string, Uint8Array>,
): Promise<ScrubRecord[]> {
  const records: ScrubRecord[] = [];
  for (const slot of slots) {
    await dropCaches([slot.dataPath, slot.treePath]);
    const tree = await readWholeTree(slot.treePath);
    // Without a tree that holds together, nothing can be said about the blocks.
    const found =
      tree === undefined
        ? NONE_KNOWN
        : await findBadBlocks(slot.dataPath, tree, { signal, good: good?.get(slot.label) });
    records.push({
      label: slot.label,
      dataPartitionUuid: slot.dataPartitionUuid,
      hashPartitionUuid: slot.hashPartitionUuid,
      rootHash: tree?.rootHash ?? null,
      badBlockCount: found.badBlockCount,
      badBlocks: await nameFiles(slot.dataPath, found),
      readAt: new Date().toISOString(),
    });
    await writeScrubRecords(paths, records, all);
  }
  return records;
}

/** So that the disk is read, and not what the kernel remembers of it (dd(1): `iflag=nocache` with `count=0`). */
export async function dropCaches(files: readonly string[]): Promise<void> {
  for (const file of files) await run("dd", [`if=${file}`, "iflag=nocache", "count=0", "status=none"]);
}

/** The first of the damaged blocks, with the files that they belong to. */
async function nameFiles(dataPath: string, { badBlocks }: BadBlocks): Promise<DamagedBlock[]> {
  const offsets = badBlocks.map((block) => block * BLOCK_BYTES);
  const filesAt = await findDamagedFiles({ path: dataPath }, offsets, BLOCK_BYTES, MOUNT_POINT);
  return badBlocks.slice(0, MAX_NAMED_BLOCKS).map((block) => {
    const { files, reason } = filesAt(block * BLOCK_BYTES);
    if (files.length === 0) reportText(`whose the damaged block ${block} of ${dataPath} is, is not known: ${reason}`);
    return { block, files: files.slice(0, MAX_NAMED_FILES) };
  });
}
