import assert from "node:assert/strict";
import { test } from "node:test";
import type { Route } from "../../shared/json-answers.ts";
import { OrderBook } from "../order-book.ts";
import { createExtensionsApi } from "./extensions-api.ts";
import { EXTENSION_BEGINNINGS, type ExtensionActivity, readExtensionsStatus } from "./extensions-status.ts";
import { writeMergeRecord } from "../../extensions/merge-record.ts";
import { TestExtensionNode } from "../../extensions/test-extension-node.ts";

test("orders are taken one at a time; the status is always there", async () => {
  using node = new TestExtensionNode();
  const events = { onBegin: async () => await Promise.resolve(), onEnd: async () => await Promise.resolve() };
  const orders = new OrderBook<ExtensionActivity>(events, EXTENSION_BEGINNINGS);
  const gate = Promise.withResolvers<void>();
  const done: string[] = [];
  const work =
    (name: string) =>
    async (request: object): Promise<void> => {
      done.push(`${name} ${JSON.stringify(request)}`);
      await gate.promise;
    };
  const status = async (): ReturnType<typeof readExtensionsStatus> =>
    await readExtensionsStatus(node.paths, orders.activity);
  const updater = { status, update: work("update"), debug: work("debug"), maintain: work("maintain") };
  const routes = createExtensionsApi(updater, orders);
  const route = (path: string, method: "GET" | "POST" = "POST"): Route => {
    const found = routes.get(path)?.[method];
    if (found === undefined) throw new Error(`no ${method} ${path}`);
    return found;
  };
  const post = async (path: string, body: string): Promise<object> => await route(path).handle(body);

  await assert.rejects(post("/v1/extensions/update", "{}"), { status: 400 });
  const begun = await post("/v1/extensions/update", '{"component":"a"}');
  assert.partialDeepStrictEqual(begun, { schema: "ashlar.extensions/v1", bootId: "boot-1", phase: "checking" });
  // The same order joins, another has to wait.
  await post("/v1/extensions/update", '{"component":"a"}');
  await assert.rejects(post("/v1/extensions/debug", '{"extension":"b","seconds":60}'), { status: 409 });
  assert.partialDeepStrictEqual(await route("/v1/extensions", "GET").handle(""), {
    merged: [],
    phase: "checking",
  });
  gate.resolve();
  await orders.stop();
  await post("/v1/extensions/maintain", '{"updates":false}');
  await orders.stop();
  assert.deepEqual(done, ['update {"component":"a"}', 'maintain {"updates":false}']);
});

test("the status is no longer than whoever asks will read", async () => {
  using node = new TestExtensionNode();
  const setAside = Array.from({ length: 64 }, () => ({ name: "bad", version: "v1", reason: "x".repeat(4000) }));
  await writeMergeRecord(node.paths.extensions, { merged: [], setAside, missing: [] });
  const status = await readExtensionsStatus(node.paths, EXTENSION_BEGINNINGS.idle);
  assert.equal(status.setAside.length, 64);
  assert.ok(JSON.stringify(status).length <= 128 * 1024);
});
