import type { Guid } from "./guid.ts";

/** A partition as GUID partition tables describe it (UEFI 2.10, section 5.3.3). Sectors have 512 bytes. */
export type GptPartition = {
  readonly type: Guid;
  readonly uuid: Guid;
  /** At most 36 UTF-16 units. */
  readonly label: string;
  readonly firstLba: number;
  /** The last sector that belongs to the partition. */
  readonly lastLba: number;
  /** See {@link PARTITION_ATTRIBUTES}. */
  readonly attributes: bigint;
};

export const SECTOR_BYTES = 512;
/** The only shape accepted and written: what every tool makes on disks of 512-byte sectors. */
export const ENTRY_COUNT = 128;
export const ENTRY_BYTES = 128;
export const LABEL_BYTES = 72;
export const ENTRY_SECTORS: number = (ENTRY_COUNT * ENTRY_BYTES) / SECTOR_BYTES;
/** Bytes from the disk's beginning: protective MBR, header, entries. */
export const GPT_PRIMARY_BYTES: number = (2 + ENTRY_SECTORS) * SECTOR_BYTES;
/** Bytes up to the disk's end: entries, header. */
export const GPT_BACKUP_BYTES: number = (ENTRY_SECTORS + 1) * SECTOR_BYTES;

type PartitionTypeName = "esp" | "usr" | "usrVerity" | "var";

/** Partition types (UAPI Group "Discoverable Partitions Specification"). */
export const PARTITION_TYPES: Readonly<Record<PartitionTypeName, Guid>> = {
  esp: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
  usr: "8484680c-9521-48c6-9c11-b0720656f69e",
  usrVerity: "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
  var: "4d21b016-b534-45c2-a9fb-5c16e091fd2d",
};

type PartitionAttributeName = "growFileSystem" | "readOnly" | "noAuto";

/** Attribute bits, the same for the types above ("Discoverable Partitions Specification", "Partition Flags"). */
export const PARTITION_ATTRIBUTES: Readonly<Record<PartitionAttributeName, bigint>> = {
  growFileSystem: 1n << 59n,
  readOnly: 1n << 60n,
  noAuto: 1n << 63n,
};

/**
 * What is wrong with these partitions on a disk whose partitions may use the given sectors, in one sentence; undefined
 * when nothing is.
 */
export function findPartitionProblem(
  partitions: readonly GptPartition[],
  firstUsableLba: number,
  lastUsableLba: number,
): string | undefined {
  const inOrder = partitions.toSorted((a, b) => a.firstLba - b.firstLba);
  const uuids = new Set<Guid>();
  let free = firstUsableLba;
  for (const { label, uuid, firstLba, lastLba } of inOrder) {
    const name = `partition ${JSON.stringify(label)}`;
    if (uuids.has(uuid)) return `${name}: expected a UUID of its own, found ${uuid} twice`;
    uuids.add(uuid);
    if (firstLba < free) return `${name}: expected it to begin at sector ${free} or after, found ${firstLba}`;
    if (lastLba < firstLba) return `${name}: expected it to end after its first sector ${firstLba}, found ${lastLba}`;
    if (lastLba > lastUsableLba) return `${name}: expected it to end by sector ${lastUsableLba}, found ${lastLba}`;
    free = lastLba + 1;
  }
  return undefined;
}
