import { closeSync, openSync, readSync } from "node:fs";
import { AshlarError, messageOf } from "@ashlar/base";
import { type BlockOwner, findBlockOwners, openErofs } from "@ashlar/formats";
import { run } from "@ashlar/host";
import { reportText } from "@ashlar/host/terminal";
import { type BadBlocks, findBadBlocks, readWholeTree } from "@ashlar/volumes";
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
      badBlocks: nameFiles(slot.dataPath, found),
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

/** Looks up the files that damaged blocks belong to; what is damaged is not read, so that no name comes from it. */
function nameFiles(dataPath: string, { badBlocks, badBlockCount }: BadBlocks): DamagedBlock[] {
  if (badBlockCount === 0) return [];
  const named = badBlocks.slice(0, MAX_NAMED_BLOCKS);
  const bad = new Set(badBlocks);
  const file = openSync(dataPath, "r");
  try {
    const image = openErofs((offsetBytes, sizeBytes) => {
      const [first, end] = [Math.floor(offsetBytes / BLOCK_BYTES), (offsetBytes + sizeBytes) / BLOCK_BYTES];
      for (let block = first; block < end; block++) {
        if (bad.has(block)) throw new AshlarError("untrusted", `block ${block} is damaged`);
      }
      const bytes = Buffer.alloc(sizeBytes);
      const found = readSync(file, bytes, 0, sizeBytes, offsetBytes);
      if (found === sizeBytes) return bytes;
      throw new AshlarError("failed", `expected ${sizeBytes} bytes at offset ${offsetBytes}, found ${found}`);
    }, MAX_DATA_BYTES);
    const { owners } = findBlockOwners(image, named);
    return named.map((block) => ({ block, files: pathsOf(owners.get(block) ?? []) }));
  } catch (error) {
    reportText(`the damaged blocks' files are unknown: ${messageOf(error)}`);
    return named.map((block) => ({ block, files: [] }));
  } finally {
    closeSync(file);
  }
}

/** The superblock knows how large the file system is; this only bounds it. */
const MAX_DATA_BYTES: number = 2 ** 40;

/** Data tells more than metadata, of which a block holds that of many files. */
function pathsOf(owners: readonly BlockOwner[]): string[] {
  const data = owners.filter(({ part }) => part === "data");
  const chosen = (data.length > 0 ? data : owners).slice(0, MAX_NAMED_FILES);
  return chosen.map(({ path }) => (path === "/" ? MOUNT_POINT : MOUNT_POINT + path));
}
