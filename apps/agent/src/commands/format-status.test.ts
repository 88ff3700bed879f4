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

test("systemd-boot that is not the running release's is named, and why it is not", () => {
  const [path, sha256] = ["EFI/BOOT/BOOTX64.EFI", "ab".repeat(32)];
  const lines = (release: string | null, digest: string | null, problem: { message: string; hint?: string } | null) =>
    formatStatus(
      testUpdateStatus({
        version: "1.1.0",
        bootLoader: {
          copies: [{ path, sha256: digest, release }],
          problem: problem === null ? null : { code: "limit", ...problem },
        },
      }),
    ).slice(4);
  assert.deepEqual(lines("1.1.0", sha256, null), []);
  assert.deepEqual(lines("1.0.0", sha256, null), [`systemd-boot  ${path} is that of 1.0.0`]);
  assert.deepEqual(lines(null, sha256, null), [`systemd-boot  ${path} is not known, sha256 ${sha256}`]);
  assert.deepEqual(lines(null, null, { message: "the ESP is full", hint: "make room" }), [
    `systemd-boot  ${path} is missing`,
    "    the ESP is full",
    "    make room",
  ]);
});

test("a node without a state partition says what that means", () => {
  const lines = (ownStatePartition: boolean): string[] =>
    formatStatus(testUpdateStatus({ ownStatePartition })).slice(4);
  assert.deepEqual(lines(true), []);
  assert.deepEqual(lines(false), [
    "state      on /var: no partition of its own, so what workloads write there can keep this node from updating",
  ]);
});
