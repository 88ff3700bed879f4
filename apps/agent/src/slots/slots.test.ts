import assert from "node:assert/strict";
import { test } from "node:test";
import { type NumberedPartition, PARTITION_TYPES } from "@ashlar/formats";
import { scrubSlots } from "./scrub.ts";
import { pairSlots, partitionPath, readSlots } from "./slots.ts";
import { makeTestRelease, makeTestUpdateNode } from "../updater/test-update-node.ts";

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
  const records = await scrubSlots(node.paths, slots, slots);
  assert.deepEqual(
    records.map(({ rootHash, badBlockCount }) => [rootHash, badBlockCount]),
    [V10, V11].map(({ rootHash }) => [rootHash, 0]),
  );
  await assert.rejects(scrubSlots(node.paths, slots, slots, AbortSignal.abort()), { code: "interrupted" });
});
