import { crc32 } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { type Guid, GUID_BYTES, guidFromBytes } from "./guid.ts";
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

export type Gpt = {
  readonly diskGuid: Guid;
  readonly firstUsableLba: number;
  readonly lastUsableLba: number;
  readonly partitions: readonly NumberedPartition[];
};

/** `number` counts from 1, as in `/dev/sda1`. */
export type NumberedPartition = GptPartition & { readonly number: number };

/** The two ends of a disk. */
export type GptSource = {
  /** Sectors 0 to 33 ({@link GPT_PRIMARY_BYTES}). */
  readonly primary: Uint8Array;
  /** The last 33 sectors ({@link GPT_BACKUP_BYTES}). */
  readonly backup: Uint8Array;
  /** Size of the whole disk. */
  readonly sizeBytes: number;
};

const NO_GUID = "00000000-0000-0000-0000-000000000000";
const HEADER_BYTES = 92;
const SIGNATURE = "EFI PART";
/** Where the header is on disks with larger sectors. */
const OTHER_SECTOR_BYTES = [1024, 2048, 4096, 8192, 16_384];

/**
 * Parses a GUID partition table on a disk of 512-byte sectors (UEFI 2.10, section 5.3). Both copies must be whole and
 * say the same: a reader that uses the one and a checker that uses the other would see different disks.
 *
 * @throws AshlarError `malformed`, naming the copy and the field
 */
export function parseGpt({ primary, backup, sizeBytes }: GptSource): Gpt {
  checkSize("disk begin", primary.length, GPT_PRIMARY_BYTES);
  checkSize("disk end", backup.length, GPT_BACKUP_BYTES);
  const sectors = sizeBytes / SECTOR_BYTES;
  if (!Number.isSafeInteger(sectors) || sizeBytes < GPT_PRIMARY_BYTES + GPT_BACKUP_BYTES) {
    malformed(`disk: expected a multiple of ${SECTOR_BYTES} bytes with room for a partition table, found ${sizeBytes}`);
  }
  checkSectorSize(primary);
  checkProtectiveMbr(primary.subarray(0, SECTOR_BYTES), sectors);
  const lastLba = sectors - 1;
  const primaryEntries = primary.subarray(2 * SECTOR_BYTES);
  const backupEntries = backup.subarray(0, ENTRY_COUNT * ENTRY_BYTES);
  const primaryHeader = parseHeader("primary GPT header", primary.subarray(SECTOR_BYTES, 2 * SECTOR_BYTES), {
    ownLba: 1,
    otherLba: lastLba,
    entriesLba: 2,
    entries: primaryEntries,
  });
  const backupHeader = parseHeader("backup GPT header", backup.subarray(ENTRY_COUNT * ENTRY_BYTES), {
    ownLba: lastLba,
    otherLba: 1,
    entriesLba: lastLba - ENTRY_SECTORS,
    entries: backupEntries,
  });
  for (const field of ["diskGuid", "firstUsableLba", "lastUsableLba", "entriesCrc"] as const) {
    if (primaryHeader[field] !== backupHeader[field]) {
      malformed(`backup GPT header: expected ${field} ${primaryHeader[field]} as in the primary, found another`);
    }
  }
  if (!Buffer.from(primaryEntries).equals(backupEntries)) {
    malformed("backup GPT entries: expected the same bytes as in the primary, found others");
  }
  const { diskGuid, firstUsableLba, lastUsableLba } = primaryHeader;
  const partitions = parseEntries(primaryEntries);
  const problem = findPartitionProblem(partitions, firstUsableLba, lastUsableLba);
  if (problem !== undefined) malformed(problem);
  return { diskGuid, firstUsableLba, lastUsableLba, partitions };
}

/** UEFI 2.10, section 5.2.3. Other records (a "hybrid" MBR) would show old tools another disk. */
function checkProtectiveMbr(bytes: Uint8Array, sectors: number): void {
  const reader = new ByteReader(bytes, "protective MBR", "little-endian");
  reader.skip(446, "boot code");
  reader.skip(4, "boot indicator and first cylinder");
  const type = reader.u8("OSType");
  if (type !== 0xee) reader.fail(`OSType: expected 0xee, found 0x${type.toString(16)}`);
  reader.skip(3, "last cylinder");
  const first = reader.u32("StartingLBA");
  if (first !== 1) reader.fail(`StartingLBA: expected 1, found ${first}`);
  const size = reader.u32("SizeInLBA");
  const expected = Math.min(sectors - 1, 0xffff_ffff);
  // Some tools always write the largest number, which the specification also asks for on larger disks.
  if (size !== expected && size !== 0xffff_ffff) reader.fail(`SizeInLBA: expected ${expected}, found ${size}`);
  if (reader.bytes(48, "other records").some((byte) => byte !== 0)) reader.fail("expected no other records");
  if (reader.u16("signature") !== 0xaa55) reader.fail("expected the signature 55 aa");
}

type HeaderPlace = {
  readonly ownLba: number;
  readonly otherLba: number;
  readonly entriesLba: number;
  readonly entries: Uint8Array;
};

type Header = {
  readonly diskGuid: Guid;
  readonly firstUsableLba: number;
  readonly lastUsableLba: number;
  readonly entriesCrc: number;
};

/** UEFI 2.10, table 5.5. */
function parseHeader(name: string, bytes: Uint8Array, place: HeaderPlace): Header {
  const reader = new ByteReader(bytes, name, "little-endian");
  const expectField = (field: string, found: number | bigint, expected: number): void => {
    if (BigInt(found) !== BigInt(expected)) reader.fail(`${field}: expected ${expected}, found ${found}`);
  };
  const signature = Buffer.from(reader.bytes(SIGNATURE.length, "Signature")).toString("latin1");
  if (signature !== SIGNATURE) reader.fail(`Signature: expected ${SIGNATURE}`);
  expectField("Revision", reader.u32("Revision"), 0x0001_0000);
  expectField("HeaderSize", reader.u32("HeaderSize"), HEADER_BYTES);
  const crc = reader.u32("HeaderCRC32");
  const covered = Buffer.from(bytes.subarray(0, HEADER_BYTES));
  covered.fill(0, 16, 20);
  if (crc !== crc32(covered)) reader.fail(`HeaderCRC32: expected ${crc32(covered)}, found ${crc}`);
  expectField("Reserved", reader.u32("Reserved"), 0);
  expectField("MyLBA", reader.u64("MyLBA"), place.ownLba);
  expectField("AlternateLBA", reader.u64("AlternateLBA"), place.otherLba);
  const firstUsableLba = readLba(reader, "FirstUsableLBA");
  const lastUsableLba = readLba(reader, "LastUsableLBA");
  const [before, after] = [GPT_PRIMARY_BYTES / SECTOR_BYTES, GPT_BACKUP_BYTES / SECTOR_BYTES];
  const diskEnd = Math.max(place.ownLba, place.otherLba) + 1;
  if (firstUsableLba < before || lastUsableLba < firstUsableLba - 1 || lastUsableLba >= diskEnd - after) {
    reader.fail(
      `usable sectors: expected some of ${before} to ${diskEnd - after - 1}, found ${firstUsableLba} to ${lastUsableLba}`,
    );
  }
  const diskGuid = guidFromBytes(reader.bytes(GUID_BYTES, "DiskGUID"));
  expectField("PartitionEntryLBA", reader.u64("PartitionEntryLBA"), place.entriesLba);
  expectField("NumberOfPartitionEntries", reader.u32("NumberOfPartitionEntries"), ENTRY_COUNT);
  expectField("SizeOfPartitionEntry", reader.u32("SizeOfPartitionEntry"), ENTRY_BYTES);
  const entriesCrc = reader.u32("PartitionEntryArrayCRC32");
  expectField("PartitionEntryArrayCRC32", entriesCrc, crc32(place.entries));
  if (reader.bytes(reader.remaining, "Reserved").some((byte) => byte !== 0)) reader.fail("expected zeros to the end");
  return { diskGuid, firstUsableLba, lastUsableLba, entriesCrc };
}

/** UEFI 2.10, table 5.6. */
function parseEntries(bytes: Uint8Array): NumberedPartition[] {
  const reader = new ByteReader(bytes, "GPT entries", "little-endian");
  const partitions: NumberedPartition[] = [];
  for (let number = 1; number <= ENTRY_COUNT; number++) {
    const type = guidFromBytes(reader.bytes(GUID_BYTES, "PartitionTypeGUID"));
    if (type === NO_GUID) {
      reader.skip(ENTRY_BYTES - GUID_BYTES, "unused entry");
      continue;
    }
    const uuid = guidFromBytes(reader.bytes(GUID_BYTES, "UniquePartitionGUID"));
    const firstLba = readLba(reader, "StartingLBA");
    const lastLba = readLba(reader, "EndingLBA");
    const attributes = reader.u64("Attributes");
    const [label = ""] = Buffer.from(reader.bytes(LABEL_BYTES, "PartitionName")).toString("utf16le").split("\0", 1);
    partitions.push({ number, type, uuid, label, firstLba, lastLba, attributes });
  }
  reader.end();
  return partitions;
}

function readLba(reader: ByteReader, field: string): number {
  const lba = reader.u64(field);
  if (lba > BigInt(Number.MAX_SAFE_INTEGER)) reader.fail(`${field}: expected a sector on the disk, found ${lba}`);
  return Number(lba);
}

/** The header is in sector 1, so its place says how large sectors are to whoever wrote the table. */
function checkSectorSize(primary: Uint8Array): void {
  const isHeaderAt = (offset: number): boolean =>
    Buffer.from(primary.subarray(offset, offset + SIGNATURE.length)).toString("latin1") === SIGNATURE;
  const found = isHeaderAt(SECTOR_BYTES) ? undefined : OTHER_SECTOR_BYTES.find(isHeaderAt);
  if (found === undefined) return;
  throw new AshlarError(
    "malformed",
    `partition table: expected one for sectors of ${SECTOR_BYTES} bytes, found one for sectors of ${found} bytes`,
    { hint: `see "Disks with sectors of 4096 bytes" in the guide to real machines` },
  );
}

function checkSize(name: string, found: number, expected: number): void {
  if (found !== expected) malformed(`${name}: expected ${expected} bytes, found ${found}`);
}

function malformed(message: string): never {
  throw new AshlarError("malformed", `partition table: ${message}`);
}
