import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findLastWords, parseJournal } from "./last-words.ts";

await test("a panic's record says most", async () => {
  const root = mkdtempSync(join(tmpdir(), "ashlar-pstore-"));
  mkdirSync(join(root, "1763800000"));
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
  writeFileSync(join(root, "1763800000/dmesg.txt"), `${lines.join("\n")}\nKernel panic - not syncing: dm-verity\n`);
  const { check, message } = await findLastWords({ pstore: [join(root, "none"), root] }, "00");
  rmSync(root, { recursive: true });
  assert.equal(check, "panic");
  assert.match(message, /^line 26\n[^]*Kernel panic - not syncing: dm-verity$/u);
});

await test("the end of a journal", () => {
  const record = (message: unknown): string =>
    JSON.stringify({ _BOOT_ID: "ab".repeat(16), SYSLOG_IDENTIFIER: "systemd", MESSAGE: message });
  assert.deepEqual(parseJournal([record("Starting x"), "no JSON", record([65])].join("\n")), {
    bootId: "abababab-abab-abab-abab-abababababab",
    check: "unknown",
    message: "no health check of it spoke; the last lines of its journal:\nsystemd: Starting x\nsystemd: (not text)",
  });
  assert.equal(parseJournal(""), undefined);
  assert.equal(parseJournal('"text"'), undefined);
  assert.equal(parseJournal("{}"), undefined);
});
