import assert from "node:assert/strict";
import { createHash, hash } from "node:crypto";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { createBlockHasher } from "./block-hasher.ts";
import { partitionUuidsOf, rootHashOf } from "./partition-uuids.ts";
import { parseVeritySuperblock, type VeritySuperblock, writeVeritySuperblock } from "./superblock.ts";
import { verityLayout } from "./tree-layout.ts";
import { upperVerityLevels } from "./upper-levels.ts";

const SUPERBLOCK: VeritySuperblock = {
  uuid: "01234567-89ab-cdef-0123-456789abcdef",
  algorithm: "sha256",
  dataBlocks: 129,
  dataBlockSizeBytes: 4096,
  hashBlockSizeBytes: 4096,
  salt: new Uint8Array([0xaa, 0xbb]),
};

test("the superblock has the documented bytes and parses back", () => {
  const bytes = Buffer.from(writeVeritySuperblock(SUPERBLOCK));
  assert.equal(bytes.length, 512);
  assert.equal(
    bytes.subarray(0, 96).toString("hex"),
    "7665726974790000" +
      "01000000" +
      "01000000" +
      "0123456789abcdef0123456789abcdef" +
      "736861323536".padEnd(64, "0") +
      "00100000" +
      "00100000" +
      "8100000000000000" +
      "0200" +
      "000000000000" +
      "aabb000000000000",
  );
  assert.deepEqual(parseVeritySuperblock(bytes), SUPERBLOCK);
});

const malformed: readonly [string, (bytes: Buffer) => Buffer | void, RegExp][] = [
  ["truncated", (bytes) => bytes.subarray(0, 511), /padding needs 168/u],
  ["trailing bytes", (bytes) => Buffer.concat([bytes, Buffer.of(0)]), /expected the end/u],
  ["empty", () => Buffer.alloc(0), /signature/u],
  ["wrong signature", (bytes) => void bytes.write("Verity"), /signature/u],
  ["unknown version", (bytes) => void bytes.writeUInt32LE(2, 8), /version: expected 1, found 2/u],
  ["Chrome OS format", (bytes) => void bytes.writeUInt32LE(0, 12), /hash type/u],
  ["unknown algorithm", (bytes) => void bytes.write("md5\0\0\0", 32), /algorithm: expected one of sha1/u],
  ["algorithm with junk", (bytes) => void bytes.writeUInt8(1, 63), /algorithm/u],
  ["prototype as algorithm", (bytes) => void bytes.write("constructor", 32), /algorithm/u],
  ["data block size 0", (bytes) => void bytes.writeUInt32LE(0, 64), /data block size/u],
  ["odd hash block size", (bytes) => void bytes.writeUInt32LE(4097, 68), /hash block size/u],
  ["absurd hash block size", (bytes) => void bytes.writeUInt32LE(1 << 20, 68), /hash block size/u],
  ["no data", (bytes) => void bytes.writeUInt32LE(0, 72), /1 to 268435456 blocks/u],
  ["absurd data", (bytes) => void bytes.fill(0xff, 72, 80), /1 to 268435456 blocks/u],
  ["long salt", (bytes) => void bytes.writeUInt16LE(257, 80), /salt size/u],
  ["first padding", (bytes) => void bytes.writeUInt8(1, 82), /padding/u],
  ["bytes after the salt", (bytes) => void bytes.writeUInt8(1, 90), /padding/u],
  ["last padding", (bytes) => void bytes.writeUInt8(1, 511), /padding/u],
];

for (const [what, change, message] of malformed) {
  test(`malformed superblock: ${what}`, () => {
    const bytes = Buffer.from(writeVeritySuperblock(SUPERBLOCK));
    assert.throws(
      () => parseVeritySuperblock(change(bytes) ?? bytes),
      (error) => error instanceof AshlarError && message.test(error.message),
    );
  });
}

test("fuzz: changed superblocks give a value with a layout or an AshlarError", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(520), fc.nat(255)), { maxLength: 4 }), (edits) => {
      const bytes = Buffer.from(writeVeritySuperblock(SUPERBLOCK));
      for (const [offset, value] of edits) bytes[offset < 100 ? offset : offset - 30] = value;
      try {
        assert.ok(verityLayout(parseVeritySuperblock(bytes)).hashSizeBytes > 0);
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test("refuses to write parameters out of range", () => {
  for (const change of [{ salt: new Uint8Array(257) }, { dataBlocks: 0 }, { dataBlocks: 1.5 }, { uuid: "x" }]) {
    assert.throws(() => writeVeritySuperblock({ ...SUPERBLOCK, ...change }), { code: "invalid" });
  }
});

test("levels stand from the root down after the superblock's block", () => {
  const blocksOf = (dataBlocks: number): [number, number][] =>
    verityLayout({ ...SUPERBLOCK, dataBlocks }).levels.map(({ blocks, offsetBytes }) => [blocks, offsetBytes / 4096]);
  assert.deepEqual(blocksOf(1), []);
  assert.deepEqual(blocksOf(2), [[1, 1]]);
  assert.deepEqual(blocksOf(128), [[1, 1]]);
  assert.deepEqual(blocksOf(129), [
    [2, 2],
    [1, 1],
  ]);
  assert.deepEqual(blocksOf(128 * 128 + 1), [
    [129, 4],
    [2, 2],
    [1, 1],
  ]);
  assert.equal(verityLayout(SUPERBLOCK).hashSizeBytes, 4 * 4096);
});

test("digests get slots of a power of two", () => {
  const slots = (["sha1", "sha224", "sha256", "sha384", "sha512"] as const).map(
    (algorithm) => verityLayout({ ...SUPERBLOCK, algorithm }).digestSlotBytes,
  );
  assert.deepEqual(slots, [32, 32, 32, 64, 64]);
});

test("a block's digest is that of salt and block, in its slot filled with zeros; the blocks stay as they were", () => {
  const options = { algorithm: "sha1", salt: Buffer.from("salt"), blockSizeBytes: 512, digestSlotBytes: 32 } as const;
  const hasher = createBlockHasher(hash, { ...options, capacity: 3 });
  for (const [index, block] of hasher.blocks.entries()) block.fill(index);
  const target = Buffer.alloc(100, 0xee);
  hasher.digest(2, target, 4);
  const digestOf = (index: number): string =>
    createHash("sha1").update("salt").update(Buffer.alloc(512, index)).digest("hex");
  const gap = "00".repeat(12);
  assert.equal(target.subarray(0, 68).toString("hex"), `eeeeeeee${digestOf(0)}${gap}${digestOf(1)}${gap}`);
  assert.ok(target.subarray(68).every((byte) => byte === 0xee));
  assert.deepEqual(hasher.bytes, Buffer.concat([0, 1, 2].map((index) => Buffer.alloc(512, index))));
  assert.throws(() => hasher.digest(4, Buffer.alloc(1000), 0), RangeError);
});

test("upper levels hold the digests of the level below, filled with zeros", () => {
  const lowest = Buffer.alloc(64, 5);
  const { levels, rootHash } = upperVerityLevels(SUPERBLOCK, lowest);
  const top = Buffer.concat([lowest, Buffer.alloc(4096 - 64)]);
  assert.deepEqual(
    levels.map((level) => Buffer.from(level)),
    [top],
  );
  const expected = createHash("sha256").update(SUPERBLOCK.salt).update(top).digest("hex");
  assert.equal(Buffer.from(rootHash).toString("hex"), expected);
});

test("partition UUIDs spell the root hash", () => {
  const rootHash = Buffer.from("00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef", "hex");
  const uuids = partitionUuidsOf(rootHash);
  assert.deepEqual(uuids, {
    data: "00112233-4455-6677-8899-aabbccddeeff",
    hash: "01234567-89ab-cdef-0123-456789abcdef",
  });
  assert.deepEqual(Buffer.from(rootHashOf(uuids)), rootHash);
  assert.throws(() => partitionUuidsOf(new Uint8Array(20)), { code: "invalid" });
});
