import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { readScrubRecords } from "../slots/scrub-records.ts";
import { scrubSlots } from "../slots/scrub.ts";
import { scrubCommand } from "./scrub-command.ts";
import { readSlots } from "../slots/slots.ts";
import { makeTestRelease, makeTestUpdateNode } from "../updater/test-update-node.ts";

const [V10, V11] = [makeTestRelease("1.0.0"), makeTestRelease("1.1.0")];

await test("every block of both slots is read, and files of damaged ones are named", async () => {
  using node = makeTestUpdateNode(V10, V11);
  assert.equal(await scrubCommand(node.paths, true), 0);
  const bytes = readFileSync(node.partition(3));
  bytes.writeUInt8(bytes.readUInt8(4096) ^ 1, 4096);
  writeFileSync(node.partition(3), bytes);
  assert.equal(await scrubCommand(node.paths, false), 1);
  const records = await readScrubRecords(node.paths);
  assert.deepEqual(
    records.map(({ label, badBlockCount, badBlocks }) => [label, badBlockCount, badBlocks]),
    [
      ["ashlar_1.0.0", 0, []],
      ["ashlar_1.1.0", 1, [{ block: 1, files: ["/usr/lib/noise"] }]],
    ],
  );
});

await test("an empty slot is passed over; a slot without a tree is not good", async () => {
  using node = makeTestUpdateNode(V10);
  assert.equal(await scrubCommand(node.paths, true), 0);
  writeFileSync(node.partition(2), Buffer.alloc(8192));
  assert.equal(await scrubCommand(node.paths, false), 1);
  const slots = await readSlots(node.paths, V10.rootHash);
  const [record] = await scrubSlots(node.paths, slots.slice(0, 1), slots);
  assert.equal(record?.rootHash, null);
});
