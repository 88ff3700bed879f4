import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { type NumberedPartition, PARTITION_TYPES } from "@ashlar/formats";
import fc from "fast-check";
import { pairSlots, partitionPath, readSlots } from "./slots.ts";
import { makeTestRelease, makeTestUpdateNode } from "../updater/test-update-node.ts";
import { readTree, verifySlot } from "./verify-slot.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-slots-"));
process.once("exit", () => rmSync(directory, { recursive: true }));

type Labelled = readonly [type: "usr" | "usrVerity", label: string];

function partitions(found: readonly Labelled[]): NumberedPartition[] {
  return found.map(([type, label], index) => ({
    type: PARTITION_TYPES[type],
    label,
    number: index + 2,
    uuid: `uuid-${index + 2}`,
    firstLba: 0,
    lastLba: 0,
    attributes: 0n,
  }));
}

await test("data and hash partitions belong together by their labels, and else by their order", () => {
  const pair = (...found: readonly Labelled[]): unknown =>
    pairSlots(partitions(found), "/dev/vda").map(({ version, dataPath, treePath }) => [version, dataPath, treePath]);
  assert.deepEqual(
    pair(["usr", "ashlar_1.0.0"], ["usrVerity", "ashlar_1.0.0_verity"], ["usr", "_empty"], ["usrVerity", "_empty"]),
    [
      ["1.0.0", "/dev/vda2", "/dev/vda3"],
      [undefined, "/dev/vda4", "/dev/vda5"],
    ],
  );
  // In another order, and in the middle of an update.
  assert.deepEqual(
    pair(
      ["usr", "ashlar_1.1.0"],
      ["usrVerity", "ashlar_1.0.0_verity"],
      ["usr", "ashlar_1.0.0"],
      ["usrVerity", "_empty"],
    ),
    [
      [undefined, "/dev/vda2", "/dev/vda5"],
      ["1.0.0", "/dev/vda4", "/dev/vda3"],
    ],
  );
  assert.deepEqual(pair(["usr", "_empty"]), []);
  assert.deepEqual([partitionPath("/dev/nvme0n1", 3), partitionPath("/dev/sda", 3)], ["/dev/nvme0n1p3", "/dev/sda3"]);
});

await test("the slots of the running disk; a node without such a disk says so", async () => {
  const [V10, V11] = [makeTestRelease("1.0.0"), makeTestRelease("1.1.0")];
  using node = makeTestUpdateNode(V10, V11);
  const slots = await readSlots(node.paths, V10.rootHash);
  assert.deepEqual(
    slots.map(({ version }) => version),
    ["1.0.0", "1.1.0"],
  );
  assert.equal((await readTree(node.partition(2)))?.rootHash, V10.rootHash);
  for (const slot of slots) assert.equal((await verifySlot(slot)).badBlockCount, 0);
  const signal = AbortSignal.abort();
  await assert.rejects(verifySlot(slots[0] ?? assert.fail(), signal), { code: "interrupted" });
});

await test("every damaged block is found, and a damaged tree is none", async () => {
  const { data, tree, rootHash } = makeTestRelease("1.0.0");
  const [dataPath, treePath] = [join(directory, "data"), join(directory, "tree")];
  const blocks = data.length / 4096;
  writeFileSync(treePath, tree);
  for (const bad of [[0], [blocks - 1], [3, 4, 9]]) {
    const damaged = Buffer.from(data);
    for (const block of bad) damaged.writeUInt8(damaged.readUInt8(block * 4096) ^ 1, block * 4096);
    writeFileSync(dataPath, damaged);
    assert.deepEqual(await verifySlot({ dataPath, treePath }), { rootHash, badBlockCount: bad.length, badBlocks: bad });
  }
  // What the disk does not hand out counts as damaged.
  writeFileSync(dataPath, data.subarray(0, -4096));
  assert.deepEqual((await verifySlot({ dataPath, treePath })).badBlocks, [blocks - 1]);
  for (const offset of [0, 100, 4096, tree.length - 4096]) {
    const damaged = Buffer.from(tree);
    damaged.writeUInt8(damaged.readUInt8(offset) ^ 1, offset);
    writeFileSync(treePath, damaged);
    assert.notEqual((await readTree(treePath))?.rootHash, rootHash, `offset ${offset}`);
  }
  writeFileSync(treePath, tree.subarray(0, -1));
  assert.equal(await readTree(treePath), undefined);
});

await test("no hash device breaks the reader", async () => {
  const { tree } = makeTestRelease("1.0.0");
  const path = join(directory, "fuzzed");
  const change = fc.record({ at: fc.nat(600), value: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 4 }), fc.nat(tree.length), async (changes, size) => {
      const bytes = Buffer.from(tree.subarray(0, size));
      for (const { at, value } of changes) if (at < size) bytes[at] = value;
      writeFileSync(path, bytes);
      try {
        await readTree(path);
      } catch (error) {
        assert.ok(error instanceof AshlarError);
      }
    }),
    { numRuns: 40 },
  );
});
