import assert from "node:assert/strict";
import { test } from "node:test";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { forEachFileKind } from "./file-names.ts";
import { parseSummary } from "./parse-summary.ts";
import { summaryOf } from "./release-summary.ts";
import type { ReleaseEntry } from "./repository-index.ts";

const SUMMARY = summaryOf(testRelease("1.0.0", "x"));
const OTHER = summaryOf(testRelease("9.9.9", "something else"));
const FILE = { name: "a", sha256: SUMMARY.uki.sha256, sizeBytes: SUMMARY.uki.sizeBytes };
const ENTRY: ReleaseEntry = { version: "1.0.0", files: forEachFileKind(() => FILE) };

test("a summary is read that says what the index and its own sections say", () => {
  assert.deepEqual(parseSummary(JSON.stringify(SUMMARY), ENTRY), SUMMARY);
});

test("a root hash, command line or version that no measured section spells is not installed", () => {
  const { usr, commandLine, osRelease } = OTHER;
  const untrusted: readonly (readonly [RegExp, object])[] = [
    [/\$\.uki\.sections\.\.cmdline: expected/u, { usr, commandLine }],
    [/\$\.commandLine: expected "?usrhash=/u, { usr }],
    [/\$\.uki\.sections\.\.osrel: expected/u, { osRelease }],
    [/\$\.osRelease: expected SYSEXT_LEVEL=2/u, { sysextLevel: "2" }],
    [/\$\.uki\.sections: expected a section \.cmdline/u, { uki: { ...SUMMARY.uki, sections: [] } }],
  ];
  for (const [message, change] of untrusted) {
    assert.throws(() => parseSummary(JSON.stringify({ ...SUMMARY, ...change }), ENTRY), { code: "untrusted", message });
  }
  const malformed: readonly (readonly [RegExp, object])[] = [
    [/osRelease: expected/u, { osRelease: undefined }],
    [/commandLine: expected/u, { commandLine: "x".repeat(5000) }],
    [/uki\.sections: expected a list/u, { uki: { ...SUMMARY.uki, sections: {} } }],
    [/uki\.sections\.0\.sha256: expected/u, { uki: { ...SUMMARY.uki, sections: [{ name: ".linux" }] } }],
  ];
  for (const [message, change] of malformed) {
    assert.throws(() => parseSummary(JSON.stringify({ ...SUMMARY, ...change }), ENTRY), { code: "malformed", message });
  }
});
