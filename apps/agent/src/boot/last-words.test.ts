import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findLastWords, parseJournal } from "./last-words.ts";

await test("a panic's record says most: the lines that led to it, and only a record of this release", async () => {
  const root = mkdtempSync(join(tmpdir(), "ashlar-pstore-"));
  const raw = join(root, "sys");
  mkdirSync(raw);
  // The kernel's parts: the end of the log has the lowest number.
  writeFileSync(join(raw, "dmesg-efi_pstore-176380000001001"), "Panic#1 Part1\nCall Trace:\n---[ end ]---\n");
  const part = "data block 7 is corrupted\nKernel panic - not syncing: dm-verity device corrupted\n";
  writeFileSync(join(raw, "dmesg-efi_pstore-176380000002001"), `Panic#1 Part2\n${part}`);
  const words = await findLastWords({ pstore: [join(root, "none"), raw] }, "00", 0);
  assert.equal(words.check, "panic");
  assert.match(words.message, /^Panic#1 Part2\ndata block 7 is corrupted\nKernel panic [^]*---\[ end \]---$/u);

  const kept = join(root, "var/1763800000/001");
  mkdirSync(kept, { recursive: true });
  const before = Array.from({ length: 40 }, (_, index) => `line ${index}`).join("\n");
  const after = Array.from({ length: 40 }, (_, index) => `trace ${index}`).join("\n");
  writeFileSync(join(kept, "dmesg.txt"), `${before}\nKernel panic - not syncing: Attempted to kill init!\n${after}\n`);
  const { message } = await findLastWords({ pstore: [join(root, "var"), raw] }, "00", 0);
  assert.match(message, /^line 32\n[^]*line 39\nKernel panic - [^]*kill init!\n[^]*trace 5$/u);
  const later = await findLastWords({ pstore: [join(root, "var"), raw] }, "00", Date.now() + 60_000);
  assert.equal(later.check, "unknown");
  rmSync(root, { recursive: true });
});

await test("the end of a journal", () => {
  const record = (message: unknown): string =>
    JSON.stringify({ _BOOT_ID: "ab".repeat(16), SYSLOG_IDENTIFIER: "systemd", MESSAGE: message });
  assert.deepEqual(parseJournal([record("Starting x"), "no JSON", record([65])].join("\n")), {
    bootId: "abababab-abab-abab-abab-abababababab",
    check: "unknown",
    message:
      "no health check of it spoke: it was cut off, by the watchdog for example. Its last errors, and the end of its journal:\n" +
      "systemd: Starting x\nsystemd: (not text)",
  });
  assert.equal(parseJournal(""), undefined);
  assert.equal(parseJournal('"text"'), undefined);
  assert.equal(parseJournal("{}"), undefined);
});
