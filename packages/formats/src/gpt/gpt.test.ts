import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { crc32 } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import { needs } from "@ashlar/base/test-needs";
import fc from "fast-check";
import { guidFromBytes, guidToBytes } from "./guid.ts";
import { parseGpt } from "./parse-gpt.ts";
import { GPT_BACKUP_BYTES, PARTITION_ATTRIBUTES, PARTITION_TYPES } from "./partition-table.ts";
import { type GptLayout, writeGpt } from "./write-gpt.ts";

const SIZE_BYTES = 64 * 1024 * 1024;
const SECTORS = SIZE_BYTES / 512;
const LAYOUT: GptLayout = {
  diskGuid: "01234567-89ab-4cde-8f01-23456789abcd",
  sizeBytes: SIZE_BYTES,
  partitions: [
    {
      type: PARTITION_TYPES.esp,
      uuid: "11111111-1111-4111-8111-111111111111",
      label: "esp",
      firstLba: 2048,
      lastLba: 4095,
      attributes: 0n,
    },
    {
      type: PARTITION_TYPES.usr,
      uuid: "22222222-2222-4222-8222-222222222222",
      label: "ashlar_1.0.0 é",
      firstLba: 4096,
      lastLba: 8191,
      attributes: PARTITION_ATTRIBUTES.readOnly,
    },
    {
      type: PARTITION_TYPES.var,
      uuid: "33333333-3333-4333-8333-333333333333",
      label: "var",
      firstLba: 8192,
      lastLba: SECTORS - 34,
      attributes: PARTITION_ATTRIBUTES.growFileSystem | PARTITION_ATTRIBUTES.noAuto,
    },
  ],
};

test("GUIDs have their first three groups little-endian on disk", () => {
  const guid = "00112233-4455-6677-8899-aabbccddeeff";
  assert.equal(Buffer.from(guidToBytes(guid)).toString("hex"), "33221100554477668899aabbccddeeff");
  assert.equal(guidFromBytes(guidToBytes(guid)), guid);
  assert.throws(() => guidToBytes("00112233-4455-6677-8899-AABBCCDDEEFF"), AshlarError);
});

test("a written table parses back", () => {
  const { partitions, ...rest } = parseGpt({ ...writeGpt(LAYOUT), sizeBytes: SIZE_BYTES });
  assert.deepEqual(rest, { diskGuid: LAYOUT.diskGuid, firstUsableLba: 34, lastUsableLba: SECTORS - 34 });
  assert.deepEqual(
    partitions,
    LAYOUT.partitions.map((partition, index) => Object.assign({ number: index + 1 }, partition)),
  );
});

test("any layout that can be written parses back", () => {
  const gap = fc.tuple(
    fc.nat(9),
    fc.nat(900),
    fc.string({ maxLength: 36 }),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  );
  fc.assert(
    fc.property(fc.array(gap, { maxLength: 128 }), (gaps) => {
      let lba = 34;
      const partitions = gaps.map(([before, length, label, attributes], index) => {
        const firstLba = lba + before;
        lba = firstLba + length + 1;
        const uuid = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
        const printable = label.replaceAll("\0", "").slice(0, 36);
        return { type: PARTITION_TYPES.usr, uuid, label: printable, firstLba, lastLba: lba - 1, attributes };
      });
      const sizeBytes = (lba + 33) * 512;
      const parsed = parseGpt({ ...writeGpt({ ...LAYOUT, sizeBytes, partitions }), sizeBytes });
      assert.deepEqual(
        parsed.partitions,
        partitions.map((partition, index) => Object.assign({ number: index + 1 }, partition)),
      );
    }),
    { numRuns: 50 },
  );
});

const invalid: readonly [string, Partial<GptLayout>, RegExp][] = [
  ["odd size", { sizeBytes: SIZE_BYTES + 1 }, /multiple of 512/u],
  ["tiny disk", { sizeBytes: 512, partitions: [] }, /room/u],
  ["bad disk GUID", { diskGuid: "x" }, /UUID/u],
  ["overlap", { partitions: [LAYOUT.partitions[0]!, { ...LAYOUT.partitions[1]!, firstLba: 4000 }] }, /sector 4096/u],
  ["on the header", { partitions: [{ ...LAYOUT.partitions[0]!, firstLba: 33 }] }, /sector 34/u],
  ["on the backup", { partitions: [{ ...LAYOUT.partitions[2]!, lastLba: SECTORS - 33 }] }, /end by sector/u],
  ["negative size", { partitions: [{ ...LAYOUT.partitions[0]!, lastLba: 2000 }] }, /to end after/u],
  [
    "same UUID",
    { partitions: [LAYOUT.partitions[0]!, { ...LAYOUT.partitions[0]!, firstLba: 9000, lastLba: 9001 }] },
    /twice/u,
  ],
  ["long label", { partitions: [{ ...LAYOUT.partitions[0]!, label: "x".repeat(37) }] }, /36 characters/u],
];

for (const [what, change, message] of invalid) {
  test(`refuses to write: ${what}`, () => {
    assert.throws(() => writeGpt({ ...LAYOUT, ...change }), { name: "AshlarError", code: "invalid", message });
  });
}

/** Changes a header field (or entries) and mends the checksums, so that the field itself has to be noticed. */
function withField(
  copy: "primary" | "backup",
  change: (header: Buffer, entries: Buffer) => void,
  mend = true,
): () => void {
  const image = writeGpt(LAYOUT);
  const bytes = Buffer.from(image[copy]);
  const header = copy === "primary" ? bytes.subarray(512, 1024) : bytes.subarray(-512);
  const entries = copy === "primary" ? bytes.subarray(1024) : bytes.subarray(0, -512);
  const before = crc32(entries);
  change(header, entries);
  if (mend) {
    if (crc32(entries) !== before) header.writeUInt32LE(crc32(entries), 88);
    header.writeUInt32LE(0, 16);
    header.writeUInt32LE(crc32(header.subarray(0, 92)), 16);
  }
  return () => parseGpt({ ...image, [copy]: bytes, sizeBytes: SIZE_BYTES });
}

function withMbr(change: (mbr: Buffer) => void): () => void {
  const image = writeGpt(LAYOUT);
  const primary = Buffer.from(image.primary);
  change(primary);
  return () => parseGpt({ ...image, primary, sizeBytes: SIZE_BYTES });
}

const image = writeGpt(LAYOUT);
const malformed: readonly [string, () => void, RegExp][] = [
  [
    "short head",
    () => parseGpt({ ...image, primary: image.primary.subarray(1), sizeBytes: SIZE_BYTES }),
    /disk begin/u,
  ],
  [
    "long tail",
    () => parseGpt({ ...image, backup: Buffer.concat([image.backup, Buffer.of(0)]), sizeBytes: SIZE_BYTES }),
    /disk end/u,
  ],
  ["disk of another size", () => parseGpt({ ...image, sizeBytes: SIZE_BYTES * 2 }), /SizeInLBA/u],
  ["disk of odd size", () => parseGpt({ ...image, sizeBytes: SIZE_BYTES + 1 }), /multiple/u],
  ["MBR signature", withMbr((mbr) => mbr.writeUInt16LE(0, 510)), /55 aa/u],
  ["MBR type", withMbr((mbr) => mbr.writeUInt8(0x83, 450)), /OSType/u],
  ["MBR start", withMbr((mbr) => mbr.writeUInt32LE(0, 454)), /StartingLBA/u],
  ["hybrid MBR", withMbr((mbr) => mbr.writeUInt8(0x83, 466)), /other records/u],
  ["signature", withField("primary", (header) => header.write("EFI PARS")), /primary GPT header.*Signature/u],
  ["revision", withField("primary", (header) => header.writeUInt32LE(2, 8)), /Revision/u],
  ["header size", withField("primary", (header) => header.writeUInt32LE(512, 12)), /HeaderSize/u],
  ["header checksum", withField("primary", (header) => header.writeUInt8(1, 60), false), /HeaderCRC32/u],
  ["reserved", withField("primary", (header) => header.writeUInt32LE(1, 20)), /Reserved/u],
  ["own sector", withField("primary", (header) => header.writeUInt32LE(2, 24)), /MyLBA/u],
  ["other sector", withField("primary", (header) => header.writeUInt32LE(9, 32)), /AlternateLBA/u],
  ["first usable sector", withField("primary", (header) => header.writeUInt32LE(33, 40)), /usable/u],
  ["last usable sector", withField("primary", (header) => header.writeUInt32LE(SECTORS - 33, 48)), /usable/u],
  ["absurd sector", withField("primary", (header) => header.fill(0xff, 48, 56)), /LastUsableLBA/u],
  ["entries' sector", withField("primary", (header) => header.writeUInt32LE(3, 72)), /PartitionEntryLBA/u],
  ["absurd entry count", withField("primary", (header) => header.fill(0xff, 80, 84)), /NumberOfPartitionEntries/u],
  ["entry size", withField("primary", (header) => header.writeUInt32LE(256, 84)), /SizeOfPartitionEntry/u],
  ["entries' checksum", withField("primary", (header) => header.writeUInt32LE(1, 88)), /ArrayCRC32/u],
  ["bytes after the header", withField("primary", (header) => header.writeUInt8(1, 511)), /zeros/u],
  [
    "backup header",
    withField("backup", (header) => header.writeUInt8(1, 60), false),
    /backup GPT header.*HeaderCRC32/u,
  ],
  ["another backup disk GUID", withField("backup", (header) => header.writeUInt8(1, 60)), /diskGuid/u],
  ["other backup entries", withField("backup", (_, entries) => entries.writeUInt8(1, 60)), /entriesCrc/u],
];

test("a table for sectors of another size is refused with that size as the cause", () => {
  for (const sectorBytes of [1024, 2048, 4096, 8192, 16_384]) {
    // As sfdisk writes it on such a disk: MBR, then in sector 1 the header.
    const primary = Buffer.from(image.primary);
    primary.writeUInt32LE(SIZE_BYTES / sectorBytes - 1, 458);
    primary.fill(0, 512);
    primary.set(image.primary.subarray(512, 1024), sectorBytes);
    assert.throws(() => parseGpt({ ...image, primary, sizeBytes: SIZE_BYTES }), {
      code: "malformed",
      message: `partition table: expected one for sectors of 512 bytes, found one for sectors of ${sectorBytes} bytes`,
    });
  }
});

for (const [what, parse, message] of malformed) {
  test(`malformed table: ${what}`, () => {
    assert.throws(parse, { name: "AshlarError", code: "malformed", message });
  });
}

test("overlapping partitions are refused though both copies agree", () => {
  const change = (bytes: Buffer, header: Buffer, entries: Buffer): Buffer => {
    entries.writeUInt32LE(2050, 128 + 32);
    header.writeUInt32LE(crc32(entries), 88);
    header.writeUInt32LE(0, 16);
    header.writeUInt32LE(crc32(header.subarray(0, 92)), 16);
    return bytes;
  };
  const [primary, backup] = [Buffer.from(image.primary), Buffer.from(image.backup)];
  change(primary, primary.subarray(512, 1024), primary.subarray(1024));
  change(backup, backup.subarray(-512), backup.subarray(0, -512));
  assert.throws(() => parseGpt({ primary, backup, sizeBytes: SIZE_BYTES }), { code: "malformed", message: /4096/u });
});

test("fuzz: changed tables give the same value or an AshlarError", () => {
  const edit = fc.tuple(fc.constantFrom("primary" as const, "backup" as const), fc.nat(1200), fc.nat(255));
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 6 }), (edits) => {
      const changed = { primary: Buffer.from(image.primary), backup: Buffer.from(image.backup) };
      for (const [copy, offset, value] of edits) {
        const bytes = changed[copy];
        bytes[copy === "primary" ? offset : bytes.length - 1 - offset] = value;
      }
      try {
        assert.equal(parseGpt({ ...changed, sizeBytes: SIZE_BYTES }).partitions.length, 3);
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

const directory = mkdtempSync(join(tmpdir(), "ashlar-gpt-"));
after(() => rmSync(directory, { recursive: true }));

function writeDisk(name: string, parts: { primary: Uint8Array; backup: Uint8Array } | undefined): string {
  const path = join(directory, name);
  const file = openSync(path, "w");
  ftruncateSync(file, SIZE_BYTES);
  if (parts !== undefined) {
    writeSync(file, parts.primary, 0, parts.primary.length, 0);
    writeSync(file, parts.backup, 0, parts.backup.length, SIZE_BYTES - parts.backup.length);
  }
  closeSync(file);
  return path;
}

test("sfdisk finds our table whole and reads the same from it", { skip: needs("sfdisk") }, () => {
  const path = writeDisk("ours.raw", image);
  assert.match(execFileSync("sfdisk", ["--verify", path], { encoding: "utf8" }), /No errors detected/u);
  const { partitiontable } = JSON.parse(execFileSync("sfdisk", ["--json", path], { encoding: "utf8" }));
  assert.equal(partitiontable.id.toLowerCase(), LAYOUT.diskGuid);
  assert.deepEqual(
    partitiontable.partitions.map((partition: Record<string, string | number>) => [
      String(partition["type"]).toLowerCase(),
      String(partition["uuid"]).toLowerCase(),
      partition["name"],
      partition["start"],
      partition["size"],
      partition["attrs"],
    ]),
    LAYOUT.partitions.map(({ type, uuid, label, firstLba, lastLba }, index) => {
      return [type, uuid, label, firstLba, lastLba - firstLba + 1, [undefined, "GUID:60", "GUID:59,63"][index]];
    }),
  );
});

test("sfdisk writes the same bytes", { skip: needs("sfdisk") }, () => {
  const path = writeDisk("theirs.raw", undefined);
  const script = [
    "label: gpt",
    `label-id: ${LAYOUT.diskGuid}`,
    "first-lba: 34",
    `start=2048,size=2048,type=${PARTITION_TYPES.esp},uuid=${LAYOUT.partitions[0]!.uuid},name=esp`,
    `start=4096,size=4096,type=${PARTITION_TYPES.usr},uuid=${LAYOUT.partitions[1]!.uuid},name="ashlar_1.0.0 é",attrs="GUID:60"`,
    `start=8192,type=${PARTITION_TYPES.var},uuid=${LAYOUT.partitions[2]!.uuid},name=var,attrs="GUID:59,63",size=${SECTORS - 33 - 8192}`,
  ];
  execFileSync("sfdisk", ["--quiet", path], { input: script.join("\n"), stdio: ["pipe", "ignore", "pipe"] });
  const theirs = readFileSync(path);
  const primary = theirs.subarray(0, image.primary.length);
  assert.equal(primary.toString("hex"), Buffer.from(image.primary).toString("hex"));
  assert.equal(theirs.subarray(-GPT_BACKUP_BYTES).toString("hex"), Buffer.from(image.backup).toString("hex"));
  assert.equal(
    parseGpt({ primary, backup: theirs.subarray(-GPT_BACKUP_BYTES), sizeBytes: SIZE_BYTES }).partitions.length,
    3,
  );
});
