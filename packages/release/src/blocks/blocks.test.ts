import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import fc from "fast-check";
import { imageOf } from "../client/test-repository.ts";
import { BLOCK_BYTES, blocksLayout, MAX_DATA_BLOCKS, parseBlocksIndex, segmentDataBytes } from "./blocks-layout.ts";
import { readTree } from "./image-tree.ts";
import { decodeSegment, encodeSegment } from "./segment.ts";
import { writeBlocks } from "./write-blocks.ts";

async function written(
  contents: readonly number[],
  spoil?: (paths: { data: string; tree: string }) => Promise<void>,
  segmentBlocks = 2,
): Promise<Buffer> {
  return await withTemporaryDirectory(async (directory) => {
    const [data, tree, out] = ["data", "tree", "out"].map((name) => join(directory, name)) as [string, string, string];
    const image = imageOf(contents);
    await writeFile(data, image.data);
    await writeFile(tree, image.tree);
    await spoil?.({ data, tree });
    await writeBlocks({ dataPath: data, tree: await readTree(tree), segmentBlocks, out });
    return await readFile(out);
  });
}

const CONTENTS = Array.from({ length: 301 }, (_, index) => index);
const FILE = await written(CONTENTS);
const INDEX = FILE.subarray(0, blocksLayout(301, 2).indexBytes);

test("every segment decodes to the image's blocks, and the leaves stand at the end", async () => {
  const { data, tree } = imageOf(CONTENTS);
  const index = parseBlocksIndex(INDEX);
  assert.equal(index.sizeBytes, FILE.length);
  const decoded = Array.from({ length: index.segments }, (_, segment) =>
    decodeSegment(
      FILE.subarray(index.segmentOffsets[segment], index.segmentOffsets[segment + 1]),
      segmentDataBytes(index, segment),
    ),
  );
  assert.ok(Buffer.concat(decoded).equals(data));
  assert.ok(FILE.subarray(index.segmentOffsets[index.segments]).equals(tree.subarray(-3 * BLOCK_BYTES)));
  assert.ok(FILE.length < data.length, "text became no smaller");
  assert.ok(FILE.equals(await written(CONTENTS)), "the same image gave another file");
});

test("large segments, of which some do not compress", async () => {
  // Each third block is noise: these are.
  const contents = [...CONTENTS, ...CONTENTS.map((content) => content * 3)];
  const file = await written(contents, undefined, 16);
  const index = parseBlocksIndex(file.subarray(0, blocksLayout(602, 16).indexBytes));
  assert.deepEqual([index.segments, index.sizeBytes], [38, file.length]);
  const stored = (segment: number): Buffer =>
    file.subarray(index.segmentOffsets[segment], index.segmentOffsets[segment + 1]);
  const decoded = Array.from({ length: 38 }, (_, segment) =>
    decodeSegment(stored(segment), segmentDataBytes(index, segment)),
  );
  assert.ok(Buffer.concat(decoded).equals(imageOf(contents).data));
  assert.equal(stored(30).length, 65_536);
  assert.ok(file.length < (await written(contents)).length);
});

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
  ["blocks of a segment", 16, [4], /blocks of a segment: expected 2 or 16, found 4/u],
  ["blocks of a segment, as of another kind", 16, [16], /more bytes|trailing|expected the end/u],
  ["bytes of a prefix", 20, [8], /bytes of a prefix/u],
  ["reserved", 63, [1], /reserved/u],
  ["no data blocks", 24, [0, 0], /expected 2 to/u],
  ["more data blocks than bytes", 24, [0, 0, 1], /leaf digests needs|prefixes needs/u],
  ["absurdly many data blocks", 24, [0xff, 0xff, 0xff, 0xff], /expected 2 to/u],
  ["an empty segment", INDEX.length - 2, [0, 0], /size of segment 150: expected 1 to 4096, found 65536/u],
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
  assert.throws(() => blocksLayout(MAX_DATA_BLOCKS + 1, 2), { code: "limit" });
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
