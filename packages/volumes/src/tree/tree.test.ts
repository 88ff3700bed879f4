import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { formatVerity } from "../verity/format-verity.ts";
import { type BadBlocks, findBadBlocks } from "./find-bad-blocks.ts";
import { readWholeTree } from "./whole-tree.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-volumes-"));
process.once("exit", () => rmSync(directory, { recursive: true }));
const [dataPath, treePath] = [join(directory, "data"), join(directory, "tree")];

/** More than two batches, so that two levels stand above them; the last block holds zeros. */
const BLOCKS = 600;
const DATA = Buffer.alloc(BLOCKS * 4096);
for (let block = 0; block < BLOCKS - 1; block++) DATA.fill(`block ${block} `, block * 4096, (block + 1) * 4096);
writeFileSync(dataPath, DATA);
const salt = Buffer.from("some salt");
const { rootHash } = await formatVerity({
  data: dataPath,
  hash: treePath,
  salt,
  uuid: "00000000-0000-4000-8000-000000000000",
});
const TREE = readFileSync(treePath);

async function badBlocksOf(data: Uint8Array, good?: Uint8Array): Promise<BadBlocks> {
  writeFileSync(dataPath, data);
  writeFileSync(treePath, TREE);
  const tree = (await readWholeTree(treePath)) ?? assert.fail("expected a tree");
  assert.equal(tree.rootHash, rootHash);
  return await findBadBlocks(dataPath, tree, { good });
}

function damaged(blocks: readonly number[]): Buffer {
  const data = Buffer.from(DATA);
  for (const block of blocks) data.writeUInt8(data.readUInt8(block * 4096) ^ 1, block * 4096);
  return data;
}

await test("every damaged block is found, and what the disk does not hand out is damaged", async () => {
  for (const bad of [[], [0], [BLOCKS - 1], [3, 4, 9, 255, 256, 512]]) {
    assert.deepEqual(await badBlocksOf(damaged(bad)), { badBlockCount: bad.length, badBlocks: bad });
  }
  // The last block reads as zeros where nothing is read: it is damaged all the same.
  const cut = await badBlocksOf(DATA.subarray(0, -4096));
  assert.deepEqual(cut, { badBlockCount: 1, badBlocks: [BLOCKS - 1] });
  assert.deepEqual((await badBlocksOf(DATA.subarray(0, 597 * 4096 + 5))).badBlocks, [597, 598, 599]);
});

await test("blocks that were found good just now are not read again, unless a neighbour must be", async () => {
  const good = new Uint8Array(BLOCKS).fill(1);
  assert.equal((await badBlocksOf(damaged([7, 300]), good)).badBlockCount, 0);
  good[8] = 0;
  assert.deepEqual((await badBlocksOf(damaged([7, 300]), good)).badBlocks, [7]);
});

await test("reading stops when it is told to", async () => {
  writeFileSync(treePath, TREE);
  const tree = (await readWholeTree(treePath)) ?? assert.fail("expected a tree");
  await assert.rejects(findBadBlocks(dataPath, tree, { signal: AbortSignal.abort() }), { code: "interrupted" });
});

await test("a damaged or shortened tree is none", async () => {
  for (const offset of [0, 100, 4096, TREE.length - 4096]) {
    const bytes = Buffer.from(TREE);
    bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
    writeFileSync(treePath, bytes);
    assert.notEqual((await readWholeTree(treePath))?.rootHash, rootHash, `offset ${offset}`);
  }
  writeFileSync(treePath, TREE.subarray(0, -1));
  assert.equal(await readWholeTree(treePath), undefined);
  await assert.rejects(readWholeTree(join(directory, "none")), { code: "not-found" });
});

await test("no bytes break the reader", async () => {
  const path = join(directory, "fuzzed");
  const change = fc.record({ at: fc.nat(600), value: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 4 }), fc.nat(TREE.length), async (changes, size) => {
      const bytes = Buffer.from(TREE.subarray(0, size));
      for (const { at, value } of changes) if (at < size) bytes[at] = value;
      writeFileSync(path, bytes);
      try {
        await readWholeTree(path);
      } catch (error) {
        assert.ok(error instanceof AshlarError);
      }
    }),
    { numRuns: 40 },
  );
});
