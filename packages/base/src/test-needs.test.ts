import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "./test-needs.ts";

test("missing programs are a reason to skip", () => {
  assert.equal(needs("sh", "/bin/sh"), false);
  assert.equal(needs("sh", "no-such-program-here", "/no/such"), "not installed: no-such-program-here, /no/such");
});
