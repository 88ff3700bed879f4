import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { OrderBook } from "./order-book.ts";
import { parseUpdateRequest } from "@ashlar/protocol";
import { UPDATE_BEGINNINGS } from "./update-status.ts";

const onBegin = async (): Promise<void> => await Promise.resolve();

await test("one order at a time; the same one joins", async () => {
  const ended: unknown[] = [];
  const onEnd = async (failure: unknown): Promise<void> => await Promise.resolve(void ended.push(failure));
  const orders = new OrderBook({ onBegin, onEnd }, UPDATE_BEGINNINGS);
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const begin = (order: { to: string }): void =>
    orders.begin("update", order, async ({ report }) => {
      runs += 1;
      report({ phase: "fetching", target: order.to });
      await gate.promise;
    });
  begin({ to: "1.1.0" });
  begin({ to: "1.1.0" });
  assert.throws(() => begin({ to: "1.2.0" }), { code: "conflict", message: /update \{"to":"1\.1\.0"\}/u });
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual([runs, orders.activity.phase, orders.isBusy], [1, "fetching", true]);
  gate.resolve();
  await orders.stop();
  assert.deepEqual([ended, orders.activity.phase, orders.isBusy], [[undefined], "idle", false]);
});

await test("an order that fails, or is stopped, says so and makes room", async () => {
  const ended: unknown[] = [];
  const onEnd = async (failure: unknown): Promise<void> => await Promise.resolve(void ended.push(failure));
  const orders = new OrderBook({ onBegin, onEnd }, UPDATE_BEGINNINGS);
  const refused = new AshlarError("failed", "no");
  orders.begin("update", {}, async () => await Promise.reject(refused));
  await orders.stop();
  assert.deepEqual(ended, [refused]);
  assert.equal(orders.isBusy, false);
});

await test("requests: every member is checked", () => {
  assert.deepEqual(parseUpdateRequest(""), {});
  const whole = { to: "1.1.0~rc1", allowDowngrade: true, retry: false };
  assert.deepEqual(parseUpdateRequest(JSON.stringify(whole)), whole);
  assert.deepEqual(parseUpdateRequest('{"channel":"beta"}'), { channel: "beta" });
  for (const wrong of [
    "[]",
    "{",
    "null",
    '{"to":5}',
    '{"to":""}',
    '{"to":"../../etc"}',
    `{"to":"${"1".repeat(65)}"}`,
    '{"channel":"a b"}',
    '{"to":"1","channel":"a"}',
    '{"allowDowngrade":"yes"}',
    '{"retry":1}',
    '{"policy":true}',
  ]) {
    assert.throws(() => parseUpdateRequest(wrong), { code: "malformed" }, wrong);
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parseUpdateRequest(text);
      } catch (error) {
        assert.ok(error instanceof AshlarError);
      }
    }),
  );
});
