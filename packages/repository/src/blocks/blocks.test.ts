import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import fc from "fast-check";
import {
  BLOCK_BYTES,
  blocksLayout,
  blocksOfSegment,
  MAX_DATA_BLOCKS,
  parseBlocksIndex,
  decodeSegment,
  encodeSegment,
  type BlocksIndex,
} from "@ashlar/repository-index";
import { readTree } from "@ashlar/volumes";
import { imageOf } from "../test-repository.ts";
import { writeBlocks } from "./write-blocks.ts";

async function written(
  contents: readonly number[],
  spoil?: (paths: { data: string; tree: string }) => Promise<void>,
  isNew?: Uint8Array,
): Promise<Buffer> {
  return await withTemporaryDirectory(async (directory) => {
    const [data, tree, out] = ["data", "tree", "out"].map((name) => join(directory, name)) as [string, string, string];
    const image = imageOf(contents);
    await writeFile(data, image.data);
    await writeFile(tree, image.tree);
    await spoil?.({ data, tree });
    await writeBlocks({ dataPath: data, tree: await readTree(tree), isNew, out });
    return await readFile(out);
  });
}

const CONTENTS = Array.from({ length: 301 }, (_, index) => index);
const FILE = await written(CONTENTS);
const INDEX = FILE.subarray(0, blocksLayout(301).indexBytes);

test("every segment decodes to the image's blocks, and the leaves stand at the end", async () => {
  const { data, tree } = imageOf(CONTENTS);
  const index = parseBlocksIndex(INDEX);
  assert.equal(index.sizeBytes, FILE.length);
  const decoded = Array.from({ length: index.segments }, (_, segment) =>
    decodeSegment(
      FILE.subarray(index.segmentOffsets[segment], index.segmentOffsets[segment + 1]),
      dataBytesOf(index, segment),
    ),
  );
  assert.ok(Buffer.concat(decoded).equals(data));
  assert.ok(FILE.subarray(index.segmentOffsets[index.segments]).equals(tree.subarray(-3 * BLOCK_BYTES)));
  assert.ok(FILE.length < data.length, "text became no smaller");
  assert.ok(FILE.equals(await written(CONTENTS)), "the same image gave another file");
});

test("cells that are new since the version before are compressed together, unless that is too much", async () => {
  // Each third block is noise; from block 301 on all are.
  const contents = [...CONTENTS, ...CONTENTS.map((content) => content * 3)];
  const isNew = new Uint8Array(602).fill(1, 11, 100).fill(1, 310);
  const file = await written(contents, undefined, isNew);
  const index = parseBlocksIndex(file.subarray(0, blocksLayout(602).indexBytes));
  assert.equal(index.sizeBytes, file.length);
  const cells = Array.from({ length: index.segments }, (_, segment) => dataBytesOf(index, segment) / 8192);
  const single = (count: number): number[] => Array.from({ length: count }, () => 1);
  assert.deepEqual(cells, [...single(6), 16, 16, 12, ...single(105 + 144), 2]);
  const decoded = cells.map((_, segment) =>
    decodeSegment(
      file.subarray(index.segmentOffsets[segment], index.segmentOffsets[segment + 1]),
      dataBytesOf(index, segment),
    ),
  );
  assert.ok(Buffer.concat(decoded).equals(imageOf(contents).data));
  assert.ok(file.length < (await written(contents)).length);
});

function dataBytesOf(index: BlocksIndex, segment: number): number {
  const { first, end } = blocksOfSegment(index, segment);
  return (end - first) * BLOCK_BYTES;
}

test("an image without a fitting tree is refused", async () => {
  const refused = { code: "invalid" };
  await assert.rejects(
    written(CONTENTS, async ({ data }) => await writeFile(data, "short")),
    refused,
  );
  await assert.rejects(
    written(CONTENTS, async ({ tree }) => await writeFile(tree, imageOf([1, 2, 3]).tree)),
    refused,
  );
  const malformed = written(CONTENTS, async ({ tree }) => await writeFile(tree, Buffer.alloc(8192)));
  await assert.rejects(malformed, { code: "malformed" });
});

const MALFORMED: readonly (readonly [field: string, offset: number, bytes: readonly number[], message: RegExp])[] = [
  ["magic", 0, [0x61], /magic/u],
  ["version", 8, [2], /version: expected 1, found 2/u],
  ["block size", 13, [32], /block size: expected 4096, found 8192/u],
  ["blocks of a cell", 16, [4], /blocks of a cell: expected 2, found 4/u],
  ["bytes of a prefix", 20, [8], /bytes of a prefix/u],
  ["reserved", 63, [1], /reserved/u],
  ["no data blocks", 24, [0, 0], /expected 2 to/u],
  ["more data blocks than bytes", 24, [0, 0, 1], /leaf digests needs|prefixes needs/u],
  ["absurdly many data blocks", 24, [0xff, 0xff, 0xff, 0xff], /expected 2 to/u],
  ["no segment in the first cell", INDEX.length - 151 * 2, [0, 0], /size of segment 0/u],
  ["a segment of 17 cells", INDEX.length - 40, Array.from({ length: 32 }, () => 0), /expected at most 16 cells/u],
  [
    "a segment larger than its data",
    INDEX.length - 2,
    [1, 0x10],
    /size of segment 150: expected 1 to 4096, found 4097/u,
  ],
];

for (const [field, offset, bytes, message] of MALFORMED) {
  test(`malformed index: ${field}`, () => {
    const index = Buffer.from(INDEX);
    index.set(bytes, offset);
    assert.throws(
      () => parseBlocksIndex(index),
      (error) => error instanceof AshlarError && message.test(error.message),
    );
  });
}

test("malformed index: truncated anywhere, trailing bytes", () => {
  for (let end = 0; end < INDEX.length; end += 7) {
    assert.throws(() => parseBlocksIndex(INDEX.subarray(0, end)), { code: "malformed" });
  }
  assert.throws(() => parseBlocksIndex(FILE.subarray(0, INDEX.length + 1)), { code: "malformed" });
  assert.throws(() => blocksLayout(MAX_DATA_BLOCKS + 1), { code: "limit" });
});

test("segments of any content come back; damaged ones give an error or as many bytes", async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 8192 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.nat(), fc.nat(255), async (data, place, change) => {
      const stored = Buffer.from(await encodeSegment(data));
      assert.deepEqual(Buffer.from(decodeSegment(stored, data.length)), Buffer.from(data));
      stored[place % stored.length] = change;
      try {
        assert.equal(decodeSegment(stored, data.length).length, data.length);
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
  );
});

test("a frame that grows beyond its segment, or wants memory for more, is refused", () => {
  assert.throws(() => decodeSegment(zstdCompressSync(Buffer.alloc(8193)), 8192), { code: "malformed" });
  assert.throws(() => decodeSegment(zstdCompressSync(Buffer.alloc(2 ** 27)), 8192), { code: "malformed" });
  assert.throws(() => decodeSegment(zstdCompressSync(Buffer.alloc(100)), 8192), { code: "malformed" });
});
