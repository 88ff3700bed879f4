import assert from "node:assert/strict";
import { test } from "node:test";
import { beginHook, describeMissing, endHook, missingOf, type HookMarks } from "./hooks.ts";

const HOOK = { label: "fluo/before-reboot", annotations: ["org/ceph", "org/mail"] };
const marks = (labels: Record<string, string>, annotations: Record<string, string>): HookMarks => ({
  labels,
  annotations,
});

test("a check begins with its label, and without what an earlier one has left", () => {
  const change = { labels: { "fluo/before-reboot": "true" }, annotations: { "org/ceph": null, "org/mail": null } };
  assert.deepEqual(beginHook(HOOK, marks({}, { "org/ceph": "true", other: "x" })), change);
  assert.deepEqual(beginHook(HOOK, marks({ "fluo/before-reboot": "false" }, {})), change);
  assert.equal(beginHook(HOOK, marks({ "fluo/before-reboot": "true" }, { "org/ceph": "true" })), undefined);
});

test("only the word true agrees, and each has to", () => {
  const missing = (annotations: Record<string, string>): readonly string[] => missingOf(HOOK, marks({}, annotations));
  assert.deepEqual(missing({}), ["org/ceph", "org/mail"]);
  assert.deepEqual(missing({ "org/ceph": "true" }), ["org/mail"]);
  assert.deepEqual(missing({ "org/ceph": "True", "org/mail": "1" }), ["org/ceph", "org/mail"]);
  assert.deepEqual(missing({ "org/ceph": "true", "org/mail": "true" }), []);
  assert.deepEqual(missingOf({ label: "l", annotations: ["constructor"] }, marks({}, {})), ["constructor"]);
  assert.equal(describeMissing(["a"]), 'a is not "true" yet');
  assert.equal(describeMissing(["a", "b"]), 'a and b are not "true" yet');
});

test("nothing of it is left when it is over", () => {
  const change = { labels: { "fluo/before-reboot": null }, annotations: { "org/ceph": null, "org/mail": null } };
  assert.deepEqual(endHook(HOOK, marks({ "fluo/before-reboot": "true" }, {})), change);
  assert.deepEqual(endHook(HOOK, marks({}, { "org/mail": "true" })), change);
  assert.equal(endHook(HOOK, marks({ other: "true" }, { other: "true" })), undefined);
});
