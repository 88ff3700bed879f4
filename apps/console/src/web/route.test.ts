import assert from "node:assert/strict";
import { test } from "node:test";
import { hrefOf, parseRoute } from "./route.ts";

test("a route survives its URL, whatever the nodes are called", () => {
  for (const name of ["node-1", "a/b", "%", "é ?#&", "<img src=x>", "a".repeat(253)]) {
    assert.deepEqual(parseRoute(hrefOf({ page: "node", name })), { page: "node", name });
    assert.deepEqual(parseRoute(hrefOf({ page: "rollout", name })), { page: "rollout", name });
    const compare = { page: "compare", left: name, right: "x" } as const;
    assert.deepEqual(parseRoute(hrefOf(compare)), compare);
  }
});

test("the page of all Rollouts", () => {
  assert.deepEqual(parseRoute(hrefOf({ page: "rollouts" })), { page: "rollouts" });
});

test("anything else is the fleet", () => {
  for (const hash of ["", "#", "#/", "#/nothing", "#/node/", "#/node/%", "#/rollout/"])
    assert.deepEqual(parseRoute(hash), { page: "fleet" });
});
