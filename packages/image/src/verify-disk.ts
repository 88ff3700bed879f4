import { AshlarError } from "@ashlar/base";
import {
  type Gpt,
  GPT_BACKUP_BYTES,
  GPT_PRIMARY_BYTES,
  type NumberedPartition,
  PARTITION_TYPES,
  parseGpt,
  rootHashOf,
  SECTOR_BYTES,
} from "@ashlar/formats";
import {
  type ImageProblem,
  openRegion,
  readRegion,
  type Region,
  sectorSizeOf,
  verifyFileSystem,
} from "@ashlar/volumes";

/** A slot for an operating system: a usr partition and its verity partition. */
export type Slot = {
  readonly data: NumberedPartition;
  readonly hash: NumberedPartition;
  /** What the two partition UUIDs spell, in hexadecimal digits. */
  readonly rootHash: string;
};

/** What systemd-sysupdate looks for when it needs a slot. */
const EMPTY_LABEL = "_empty";

/**
 * Reads the partition table of a disk image.
 *
 * @throws AshlarError `not-found`, `invalid`, `malformed`
 */
export async function readDisk(path: string): Promise<Gpt> {
  const region = await openRegion({ path });
  await using _handle = region.handle;
  const { sizeBytes } = region;
  expectSectors(path, await sectorSizeOf(region.handle));
  if (sizeBytes < GPT_PRIMARY_BYTES + GPT_BACKUP_BYTES) {
    throw new AshlarError("malformed", `${path}: expected a disk with a partition table, found ${sizeBytes} bytes`);
  }
  const primary = await readRegion(region, 0, GPT_PRIMARY_BYTES);
  const backup = await readRegion(region, sizeBytes - GPT_BACKUP_BYTES, GPT_BACKUP_BYTES);
  return parseGpt({ primary, backup, sizeBytes });
}

/**
 * Firmware counts in the disk's own sectors: on another disk it finds no table, whatever can be read here.
 *
 * @param sectorBytes undefined of a file
 * @throws AshlarError `invalid`
 */
export function expectSectors(path: string, sectorBytes: number | undefined): void {
  if (sectorBytes === undefined || sectorBytes === SECTOR_BYTES) return;
  throw new AshlarError(
    "invalid",
    `${path}: expected a disk with sectors of ${SECTOR_BYTES} bytes, found one with sectors of ${sectorBytes} bytes`,
    { hint: `see "Disks with sectors of 4096 bytes" in the guide to real machines` },
  );
}

/**
 * The slots that hold an operating system. The first usr partition belongs to the first verity partition and so on; empty
 * ones are left out.
 *
 * @throws AshlarError `invalid` when usr and verity partitions do not pair up
 */
export function findSlots({ partitions }: Gpt): Slot[] {
  const usr = partitions.filter(({ type }) => type === PARTITION_TYPES.usr);
  const verity = partitions.filter(({ type }) => type === PARTITION_TYPES.usrVerity);
  if (usr.length !== verity.length) {
    throw new AshlarError(
      "invalid",
      `expected a verity partition for each of ${usr.length} usr partitions, found ${verity.length}`,
    );
  }
  return usr.flatMap((data, index) => {
    const hash = verity[index];
    if (hash === undefined || (data.label === EMPTY_LABEL && hash.label === EMPTY_LABEL)) return [];
    const rootHash = Buffer.from(rootHashOf({ data: data.uuid, hash: hash.uuid })).toString("hex");
    return [{ data, hash, rootHash }];
  });
}

/** Checks a slot against the root hash that its own partition UUIDs spell. */
export async function verifySlot(path: string, name: string, { data, hash, rootHash }: Slot): Promise<ImageProblem[]> {
  return await verifyFileSystem({
    name: partitionName(name, data),
    data: regionOf(path, data),
    hashName: partitionName(name, hash),
    hash: regionOf(path, hash),
    rootHash,
    mountPoint: "/usr",
  });
}

export function partitionName(disk: string, { number, label }: NumberedPartition): string {
  return `${disk} partition ${number} (${label})`;
}

export function regionOf(path: string, { firstLba, lastLba }: NumberedPartition): Required<Region> {
  return { path, offsetBytes: firstLba * SECTOR_BYTES, sizeBytes: (lastLba - firstLba + 1) * SECTOR_BYTES };
}
