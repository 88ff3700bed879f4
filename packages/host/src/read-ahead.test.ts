import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readAhead } from "./read-ahead.ts";

test("the next item is read while the caller works on the last, in order and with a turn of its own", async () => {
  const log: string[] = [];
  const read = async (item: string, turn: 0 | 1): Promise<string> => {
    log.push(`read ${item} ${turn}`);
    await sleep(1);
    return item;
  };
  for await (const item of readAhead(["a", "b", "c"], read)) log.push(`work ${item}`);
  assert.deepEqual(log, ["read a 0", "read b 1", "work a", "read c 0", "work b", "work c"]);
});

test("nothing to read", async () => {
  for await (const _ of readAhead([], async () => await Promise.reject(new Error("never")))) assert.fail();
});

test("an error comes where its item would, and stopping early waits for what is being read", async () => {
  const seen: number[] = [];
  let underWay = 0;
  const read = async (item: number): Promise<number> => {
    underWay += 1;
    await sleep(1);
    underWay -= 1;
    if (item === 2) throw new Error("item 2");
    return item;
  };
  await assert.rejects(async () => {
    for await (const item of readAhead([0, 1, 2, 3], read)) seen.push(item);
  }, /item 2/u);
  assert.deepEqual(seen, [0, 1]);
  assert.equal(underWay, 0);
  for await (const item of readAhead([0, 1, 2, 3], read)) if (item === 0) break;
  assert.equal(underWay, 0);
});
