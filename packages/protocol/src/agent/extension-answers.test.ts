import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { testExtensionsStatus } from "../test-extensions-status.ts";
import { mutations } from "../test-mutations.ts";
import { parseExtensionsStatus } from "./extension-answers.ts";
import type { ExtensionsStatus } from "./extension-api.ts";

const MERGED = { kind: "sysext", name: "kubernetes", version: "v1.33.2", rootHash: "ab".repeat(32) } as const;
const STATUS: ExtensionsStatus = testExtensionsStatus({
  phase: "fetching",
  target: { name: "kubernetes", version: "v1.33.5" },
  progress: { totalBytes: 10, copiedBytes: 5, fetchedBytes: 2 },
  merged: [
    { ...MERGED, until: null },
    { ...MERGED, kind: "confext", until: "2026-01-02T03:04:05Z" },
  ],
  setAside: [{ name: "Évil image", version: null, reason: "no signature\nat all" }],
  missing: [{ name: "zfs", reason: "not fetched" }],
  lastError: { code: "untrusted", message: "expected a signature" },
  failures: [
    { name: "kubernetes", version: "v1.33.4", at: "2026-01-02T03:04:05+01:00", check: "kubelet", message: "" },
  ],
});

function isRefused(text: string): boolean {
  try {
    parseExtensionsStatus(text);
    return false;
  } catch (error) {
    if (error instanceof AshlarError) return true;
    throw error;
  }
}

test("a status is read as it is", () => {
  for (const status of [STATUS, testExtensionsStatus()]) {
    assert.deepEqual(parseExtensionsStatus(JSON.stringify(status)), status);
  }
});

test("a status with any member of a wrong type, missing or too many, is refused", () => {
  for (const changed of mutations(STATUS, [{}, -1.5, "\u0000"])) {
    // Texts may be anything.
    const isFine = /"(?:message|reason)":"\\u0000"/u.test(JSON.stringify(changed));
    assert.equal(isRefused(JSON.stringify(changed)), !isFine, JSON.stringify(changed));
  }
});

test("limits, and nothing that speaks to a terminal", () => {
  const with_ = (change: Partial<ExtensionsStatus>): string => JSON.stringify({ ...STATUS, ...change });
  const [merged] = STATUS.merged;
  const [failure] = STATUS.failures;
  for (const text of [
    `${JSON.stringify(STATUS)}x`,
    " ".repeat(128 * 1024 + 1),
    with_({ merged: Array.from({ length: 65 }, () => merged!) }),
    with_({ failures: Array.from({ length: 17 }, () => failure!) }),
    with_({ setAside: Array.from({ length: 257 }, () => ({ name: "", version: null, reason: "" })) }),
    with_({ missing: Array.from({ length: 65 }, () => ({ name: "a", reason: "" })) }),
    with_({ missing: [{ name: "a", reason: "x".repeat(4097) }] }),
    with_({ setAside: [{ name: "\u001b[2J", version: null, reason: "" }] }),
  ]) {
    assert.ok(isRefused(text), text.slice(0, 200));
  }
  const { missing } = parseExtensionsStatus(with_({ missing: [{ name: "a", reason: "red \u001b[31m" }] }));
  assert.equal(missing[0]?.reason, "red \ufffd[31m");
});

test("any text gives a status or an AshlarError", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => isRefused(text)));
});
