import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListen, sourceOf } from "./console-options.ts";

test("only this machine's own addresses are listened on", () => {
  assert.deepEqual(parseListen("127.0.0.1:0"), { host: "127.0.0.1", port: 0 });
  assert.deepEqual(parseListen("localhost:7480"), { host: "127.0.0.1", port: 7480 });
  assert.deepEqual(parseListen("[::1]:7480"), { host: "::1", port: 7480 });
  for (const text of [
    "",
    "7480",
    ":7480",
    "0.0.0.0:7480",
    "[::]:7480",
    "192.0.2.1:80",
    "example.org:80",
    "127.0.0.1:65536",
    "127.0.0.1",
  ])
    assert.throws(() => parseListen(text), { code: "usage" }, text);
});

test("exactly one source", () => {
  const options = { listen: "127.0.0.1:0", interval: 60, maxAge: 1 };
  assert.deepEqual(sourceOf({ ...options, lab: "a" }), { kind: "lab", name: "a" });
  assert.deepEqual(sourceOf({ ...options, kubeconfig: "f", context: "prod" }), { kind: "cluster", name: "prod" });
  assert.throws(() => sourceOf(options), { code: "usage" });
  assert.throws(() => sourceOf({ ...options, lab: "a", from: "b" }), { code: "usage" });
  assert.throws(() => sourceOf({ ...options, lab: "a", context: "b" }), { code: "usage" });
});
