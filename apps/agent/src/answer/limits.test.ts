import assert from "node:assert/strict";
import { test } from "node:test";
import { SerialQueue } from "../shared/serial-queue.ts";
import { atTpm } from "./api.ts";
import { TokenBucket } from "./token-bucket.ts";

await test("a token bucket gives its burst, then one token each interval", () => {
  let nowMs = 0;
  const bucket = new TokenBucket(2, 100, () => nowMs);
  assert.deepEqual([bucket.take(), bucket.take(), bucket.take()], [0, 0, 100]);
  nowMs = 40;
  assert.equal(bucket.take(), 60);
  nowMs = 100;
  assert.deepEqual([bucket.take(), bucket.take()], [0, 100]);
  nowMs = 100_000;
  assert.deepEqual([bucket.take(), bucket.take(), bucket.take()], [0, 0, 100]);
});

await test("a serial queue runs one thing at a time, goes on after a failure, and knows when it is full", async () => {
  const queue = new SerialQueue(2);
  const gate = Promise.withResolvers<undefined>();
  const order: string[] = [];
  const failing = queue.run(async () => {
    await gate.promise;
    order.push("first");
    throw new Error("first failed");
  });
  assert.equal(queue.isFull, false);
  const second = queue.run(async () => await Promise.resolve(order.push("second")));
  assert.equal(queue.isFull, true);
  gate.resolve(undefined);
  await assert.rejects(failing, /first failed/u);
  assert.equal(await second, 2);
  assert.deepEqual(order, ["first", "second"]);
  assert.equal(queue.isFull, false);
});

await test("who asks the TPM too often is refused with 429, and told when to come again", async () => {
  let nowMs = 0;
  const limits = { queue: new SerialQueue(8), requests: new TokenBucket(1, 3000, () => nowMs) };
  const ask = async (): Promise<string> => await atTpm(limits, () => Promise.resolve("answer"));
  assert.equal(await ask(), "answer");
  await assert.rejects(ask(), { name: "Refusal", status: 429, code: "rate-limited", retryAfterSeconds: 3 });
  nowMs = 3000;
  assert.equal(await ask(), "answer");
});
