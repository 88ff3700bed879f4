import assert from "node:assert/strict";
import { test } from "node:test";
import { testUpdateStatus } from "@ashlar/protocol/test-fixtures";
import { formatStatus } from "./format-status.ts";

test("a release below what the channel allows is named as one", () => {
  const first = (minimumVersion: string | null): string | undefined =>
    formatStatus(testUpdateStatus({ version: "1.0.0", minimumVersion }))[0];
  assert.equal(first("1.1.0"), "running    1.0.0 (below 1.1.0, the oldest that its channel allows)");
  for (const minimum of [null, "1.0.0", "0.9.0"]) assert.equal(first(minimum), "running    1.0.0");
});
