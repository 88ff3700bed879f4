import { crc32 } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import { type Guid, guidToBytes } from "./guid.ts";
import {
  ENTRY_BYTES,
  ENTRY_COUNT,
  ENTRY_SECTORS,
  findPartitionProblem,
  GPT_BACKUP_BYTES,
  GPT_PRIMARY_BYTES,
  type GptPartition,
  LABEL_BYTES,
  SECTOR_BYTES,
} from "./partition-table.ts";

export type GptLayout = {
  readonly diskGuid: Guid;
  /** Size of the whole disk: a multiple of 512. */
  readonly sizeBytes: number;
  /** In the order of their numbers. */
  readonly partitions: readonly GptPartition[];
};

export type GptImage = {
  /** Sectors 0 to 33: protective MBR, header, entries. */
  readonly primary: Uint8Array;
  /** The last 33 sectors: entries, header. */
  readonly backup: Uint8Array;
};

const HEADER_BYTES = 92;

/**
 * Both copies of a GUID partition table (UEFI 2.10, section 5.3). The same layout always gives the same bytes.
 *
 * @throws AshlarError `invalid` when partitions overlap, do not fit, share a UUID, or have too long a label
 */
export function writeGpt({ diskGuid, sizeBytes, partitions }: GptLayout): GptImage {
  const sectors = sizeBytes / SECTOR_BYTES;
  if (!Number.isSafeInteger(sectors) || sizeBytes < GPT_PRIMARY_BYTES + GPT_BACKUP_BYTES) {
    invalid(`disk: expected a multiple of ${SECTOR_BYTES} bytes with room for a partition table, found ${sizeBytes}`);
  }
  if (partitions.length > ENTRY_COUNT) {
    invalid(`expected at most ${ENTRY_COUNT} partitions, found ${partitions.length}`);
  }
  const firstUsableLba = GPT_PRIMARY_BYTES / SECTOR_BYTES;
  const lastUsableLba = sectors - GPT_BACKUP_BYTES / SECTOR_BYTES - 1;
  const problem = findPartitionProblem(partitions, firstUsableLba, lastUsableLba);
  if (problem !== undefined) invalid(problem);

  const entries = Buffer.alloc(ENTRY_COUNT * ENTRY_BYTES);
  for (const [index, partition] of partitions.entries()) writeEntry(entries, index * ENTRY_BYTES, partition);
  const lastLba = sectors - 1;
  const shared = { firstUsableLba, lastUsableLba, diskGuid, entriesCrc: crc32(entries) };
  const primaryHeader = header({ ...shared, ownLba: 1, otherLba: lastLba, entriesLba: 2 });
  const backupHeader = header({ ...shared, ownLba: lastLba, otherLba: 1, entriesLba: lastLba - ENTRY_SECTORS });
  return {
    primary: new Uint8Array(Buffer.concat([protectiveMbr(sectors), primaryHeader, entries])),
    backup: new Uint8Array(Buffer.concat([entries, backupHeader])),
  };
}

/** UEFI 2.10, section 5.2.3: one record of type 0xEE over the whole disk keeps old tools away. */
function protectiveMbr(sectors: number): Buffer {
  const mbr = Buffer.alloc(SECTOR_BYTES);
  // Boot indicator, cylinder-head-sector of sector 1, type, cylinder-head-sector "not representable".
  mbr.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff], 446);
  mbr.writeUInt32LE(1, 454);
  mbr.writeUInt32LE(Math.min(sectors - 1, 0xffff_ffff), 458);
  mbr.writeUInt16LE(0xaa55, 510);
  return mbr;
}

type Header = {
  readonly ownLba: number;
  readonly otherLba: number;
  readonly firstUsableLba: number;
  readonly lastUsableLba: number;
  readonly diskGuid: Guid;
  readonly entriesLba: number;
  readonly entriesCrc: number;
};

/** UEFI 2.10, table 5.5. */
function header(fields: Header): Buffer {
  const bytes = Buffer.alloc(SECTOR_BYTES);
  bytes.write("EFI PART", 0, "latin1");
  bytes.writeUInt32LE(0x0001_0000, 8);
  bytes.writeUInt32LE(HEADER_BYTES, 12);
  bytes.writeBigUInt64LE(BigInt(fields.ownLba), 24);
  bytes.writeBigUInt64LE(BigInt(fields.otherLba), 32);
  bytes.writeBigUInt64LE(BigInt(fields.firstUsableLba), 40);
  bytes.writeBigUInt64LE(BigInt(fields.lastUsableLba), 48);
  bytes.set(guidToBytes(fields.diskGuid), 56);
  bytes.writeBigUInt64LE(BigInt(fields.entriesLba), 72);
  bytes.writeUInt32LE(ENTRY_COUNT, 80);
  bytes.writeUInt32LE(ENTRY_BYTES, 84);
  bytes.writeUInt32LE(fields.entriesCrc, 88);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES)), 16);
  return bytes;
}

/** UEFI 2.10, table 5.6. */
function writeEntry(entries: Buffer, offset: number, partition: GptPartition): void {
  const label = Buffer.from(partition.label, "utf16le");
  if (label.length > LABEL_BYTES || partition.label.includes("\0")) {
    invalid(`partition ${JSON.stringify(partition.label)}: expected a label of at most ${LABEL_BYTES / 2} characters`);
  }
  entries.set(guidToBytes(partition.type), offset);
  entries.set(guidToBytes(partition.uuid), offset + 16);
  entries.writeBigUInt64LE(BigInt(partition.firstLba), offset + 32);
  entries.writeBigUInt64LE(BigInt(partition.lastLba), offset + 40);
  entries.writeBigUInt64LE(partition.attributes, offset + 48);
  entries.set(label, offset + 56);
}

function invalid(message: string): never {
  throw new AshlarError("invalid", `partition table: ${message}`);
}
