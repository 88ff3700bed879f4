import { AshlarError } from "@ashlar/base";
import { type FilePart, visitFileParts } from "./file-parts.ts";
import type { ErofsImage } from "./image.ts";
import { inodeOffset, INODE_SLOT_BYTES, readInode } from "./inode.ts";
import { listErofs } from "./list-files.ts";

export type BlockOwner = {
  /** Absolute within the file system. */
  readonly path: string;
  readonly part: FilePart["kind"];
};

export type BlockOwners = {
  /** For each block that belongs to some files, these files in the order of their paths' depth. */
  readonly owners: ReadonlyMap<number, readonly BlockOwner[]>;
  /** Files that could not be read: blocks without owner may belong to them or, for directories, to what they hold. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
};

/** What the packed file's blocks are said to belong to: the ends of several files. */
export const FRAGMENTS_PATH = "(ends of several files)";
/** Index entries (one per block of data) looked at in all: 32 GiB of data in blocks of 4 KiB. */
const MAX_INDEX_ENTRIES: number = 2 ** 23;

/**
 * Finds the files whose data or metadata the given blocks of the image hold. What cannot be read is noted: the image may
 * be damaged in just these blocks, and its `read` may refuse them.
 *
 * @throws AshlarError `limit`
 */
export function findBlockOwners(image: ErofsImage, blocks: Iterable<number>): BlockOwners {
  const wanted = [...new Set(blocks)].toSorted((a, b) => a - b);
  const owners = new Map<number, BlockOwner[]>();
  const listing = listErofs(image);
  const unreadable = [...listing.unreadable];
  const pathsOf = Map.groupBy(listing.entries, ({ nid }) => nid);
  if (image.packedNid !== undefined && !pathsOf.has(image.packedNid)) {
    pathsOf.set(image.packedNid, [{ path: FRAGMENTS_PATH, nid: image.packedNid }]);
  }
  let entriesLeft = MAX_INDEX_ENTRIES;
  for (const [nid, entries] of pathsOf) {
    const note = ({ kind, offsetBytes, sizeBytes }: FilePart): void => {
      for (const block of within(wanted, image.blockSizeBytes, offsetBytes, sizeBytes)) {
        noteOwners(
          owners,
          block,
          entries.map(({ path }) => ({ path, part: kind })),
        );
      }
    };
    try {
      // Noted before it is read: this may be what cannot be read.
      note({ kind: "metadata", offsetBytes: inodeOffset(image, nid), sizeBytes: INODE_SLOT_BYTES });
      const inode = readInode(image, nid);
      entriesLeft -= inode.layout === "flat-plain" ? 0 : Math.ceil(inode.sizeBytes / image.blockSizeBytes);
      if (entriesLeft < 0) {
        throw new AshlarError("limit", `erofs: expected at most ${MAX_INDEX_ENTRIES} blocks of data, found more`);
      }
      visitFileParts(image, inode, note);
    } catch (error) {
      if (!(error instanceof AshlarError)) throw error;
      for (const { path } of entries) unreadable.push({ path, reason: error.message });
    }
  }
  return { owners, unreadable };
}

/** The wanted blocks (ascending) that part of the image touches. */
function* within(
  wanted: readonly number[],
  blockSizeBytes: number,
  offsetBytes: number,
  sizeBytes: number,
): Generator<number> {
  const first = Math.floor(offsetBytes / blockSizeBytes);
  const end = Math.ceil((offsetBytes + sizeBytes) / blockSizeBytes);
  let [low, high] = [0, wanted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((wanted[middle] ?? end) < first) low = middle + 1;
    else high = middle;
  }
  for (let index = low; index < wanted.length; index++) {
    const block = wanted[index];
    if (block === undefined || block >= end) return;
    yield block;
  }
}

/** A file may own a block in two ways; metadata of many small files may stand in one block. */
function noteOwners(owners: Map<number, BlockOwner[]>, block: number, found: readonly BlockOwner[]): void {
  const known = owners.get(block) ?? [];
  owners.set(block, known);
  for (const owner of found) {
    if (!known.some(({ path, part }) => path === owner.path && part === owner.part)) known.push(owner);
  }
}
