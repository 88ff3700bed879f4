import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller, Route } from "../../shared/json-answers.ts";
import { OrderBook } from "../order-book.ts";
import { authorize } from "../updater-api.ts";
import { createExtensionsApi } from "./extensions-api.ts";
import { EXTENSION_BEGINNINGS, type ExtensionActivity, readExtensionsStatus } from "./extensions-status.ts";
import { writeMergeRecord } from "../../extensions/merge-record.ts";
import { TestExtensionNode } from "../../extensions/test-node.ts";

const OPERATOR: Caller = { key: `sha256:${"ab".repeat(32)}` };
const STRANGER: Caller = { key: `sha256:${"cd".repeat(32)}` };
const ROOT: Caller = { key: undefined };

test("orders are taken from operators and from root, one at a time; the status from everybody", async () => {
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
  const operators = async (): Promise<string[]> => await Promise.resolve([OPERATOR.key ?? ""]);
  const routes = createExtensionsApi(updater, orders, async (caller) => await authorize({ operators }, caller));
  const route = (path: string, method: "GET" | "POST" = "POST"): Route => {
    const found = routes.get(path)?.[method];
    if (found === undefined) throw new Error(`no ${method} ${path}`);
    return found;
  };
  const post = async (path: string, body: string, caller: Caller): Promise<object> =>
    await route(path).handle(body, caller);

  await assert.rejects(post("/v1/extensions/update", '{"component":"a"}', STRANGER), { status: 403 });
  await assert.rejects(post("/v1/extensions/update", "{}", OPERATOR), { status: 400 });
  const begun = await post("/v1/extensions/update", '{"component":"a"}', OPERATOR);
  assert.partialDeepStrictEqual(begun, { schema: "ashlar.extensions/v1", bootId: "boot-1", phase: "checking" });
  // The same order joins, another has to wait.
  await post("/v1/extensions/update", '{"component":"a"}', ROOT);
  await assert.rejects(post("/v1/extensions/debug", '{"extension":"b","seconds":60}', ROOT), { status: 409 });
  assert.partialDeepStrictEqual(await route("/v1/extensions", "GET").handle("", STRANGER), {
    merged: [],
    phase: "checking",
  });
  gate.resolve();
  await orders.stop();
  await post("/v1/extensions/maintain", '{"updates":false}', ROOT);
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
