import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { testNextBootReport } from "../test-next-boot.ts";
import { mutations } from "../test-mutations.ts";
import { testRelease } from "../test-release.ts";
import { parseNextBoot, parseNextBootReport, parseUpdateStatus } from "./update-answers.ts";
import type { UpdateStatus } from "./update-api.ts";
import { sha256 } from "@ashlar/formats";

const STATUS: UpdateStatus = {
  schema: "ashlar.update-status/v1",
  version: "1.0.0",
  bootId: "0f0e0d0c-0b0a-0908-0706-050403020100",
  trial: false,
  phase: "fetching",
  target: "1.1.0",
  progress: { totalBytes: 10, copiedBytes: 5, fetchedBytes: 2 },
  staged: "1.1.0",
  rebootNeeded: true,
  minimumVersion: "1.0.0",
  lastError: { code: "untrusted", message: "expected a signature", hint: "ask the publisher" },
  health: { healthy: false, checks: [{ name: "units", passed: false, durationMs: 1.5, message: "one\n\ttwo" }] },
  bootLoader: {
    copies: [{ path: "EFI/BOOT/BOOTX64.EFI", sha256: sha256("systemd-boot"), release: "1.0.0" }],
    problem: { code: "limit", message: "the ESP is full" },
  },
  ownStatePartition: true,
  failures: [{ version: "1.1.0", bootId: null, at: "2026-01-02T03:04:05+01:00", check: "panic", message: "" }],
};
const REPORT = testNextBootReport([[testRelease("1.0.0"), "ashlar_1.0.0.efi"]]);
const EVIDENCE = {
  schema: "ashlar.next-boot/v2",
  report: JSON.stringify(REPORT),
  quote: { message: "AAAA", signature: "AAAA" },
};

const MALFORMED = { code: "malformed" };

test("a status is read as it is", () => {
  assert.deepEqual(parseUpdateStatus(JSON.stringify(STATUS)), STATUS);
  const idle = { ...STATUS, phase: "idle", target: null, progress: null, staged: null, lastError: null, health: null };
  assert.deepEqual(parseUpdateStatus(JSON.stringify({ ...idle, failures: [] })), { ...idle, failures: [] });
});

test("nothing in a status can speak to a terminal", () => {
  const message = "red \u001b[31m \u009b31m\r\u0007";
  const found = parseUpdateStatus(JSON.stringify({ ...STATUS, lastError: { code: "failed", message } }));
  assert.equal(found.lastError?.message, "red \ufffd[31m \ufffd31m\ufffd\ufffd");
  assert.throws(() => parseUpdateStatus(JSON.stringify({ ...STATUS, bootId: "\u001b" })), MALFORMED);
  const path = "EFI/Linux/\u001b[2J.efi";
  const espFiles = [...REPORT.espFiles, { path, sizeBytes: 1, sha256: sha256("") }];
  assert.throws(() => parseNextBootReport(JSON.stringify({ ...REPORT, espFiles })), MALFORMED);
});

test("a status or report with any member of a wrong type, missing or too many, is refused", () => {
  const isRefused = (parse: (text: string) => unknown, value: unknown): boolean => {
    try {
      parse(JSON.stringify(value) ?? "");
      return false;
    } catch (error) {
      if (error instanceof AshlarError) return true;
      throw error;
    }
  };
  const withoutHint = { ...STATUS, lastError: { code: "failed", message: "x" } };
  // A node of an earlier version says nothing about these.
  const without = (member: "minimumVersion" | "bootLoader" | "ownStatePartition"): Partial<UpdateStatus> =>
    Object.fromEntries(Object.entries(STATUS).filter(([key]) => key !== member));
  const earlier = (["minimumVersion", "bootLoader", "ownStatePartition"] as const).map((member) => {
    const absent = member === "ownStatePartition" ? false : null;
    assert.equal(parseUpdateStatus(JSON.stringify(without(member)))[member], absent);
    return Object.keys(without(member));
  });
  for (const changed of mutations(withoutHint, [[], -1.5, "\u0000"])) {
    if (earlier.some((keys) => isDeepStrictEqual(keys, Object.keys(changed ?? {})))) continue;
    // Where a list may be empty or a text be anything, these are values like others.
    const isFine = /"(?:checks|failures|copies)":\[\]|"(?:message|hint)":"\\u0000"|"health":\[\]$/u.test(
      JSON.stringify(changed),
    );
    if (!isFine) assert.ok(isRefused(parseUpdateStatus, changed), JSON.stringify(changed));
  }
  for (const changed of mutations(REPORT, [[], -1.5, "\u0000"])) {
    const isFine = /"(?:espFiles|slots)":\[\]|"loaderConfig":"\\u0000"/u.test(JSON.stringify(changed));
    if (!isFine) assert.ok(isRefused(parseNextBootReport, changed), JSON.stringify(changed));
  }
  for (const changed of mutations(EVIDENCE, [[], 1, null])) assert.ok(isRefused(parseNextBoot, changed));
});

test("what is too large or too many is refused", () => {
  const [failure] = STATUS.failures;
  const failures = Array.from({ length: 17 }, () => failure);
  assert.throws(() => parseUpdateStatus(JSON.stringify({ ...STATUS, failures })), MALFORMED);
  assert.throws(() => parseUpdateStatus(`${JSON.stringify(STATUS)}${" ".repeat(128 * 1024)}`), { code: "limit" });
  const espFiles = Array.from({ length: 257 }, (_, index) => ({ path: `a${index}`, sizeBytes: 0, sha256: sha256("") }));
  assert.throws(() => parseNextBootReport(JSON.stringify({ ...REPORT, espFiles })), MALFORMED);
  assert.doesNotThrow(() => parseNextBootReport(JSON.stringify({ ...REPORT, espFiles: espFiles.slice(1) })));
  const slots = Array.from({ length: 9 }, () => REPORT.slots[0]);
  assert.throws(() => parseNextBootReport(JSON.stringify({ ...REPORT, slots })), MALFORMED);
  assert.throws(() => parseNextBoot(" ".repeat(256 * 1024 + 1)), { code: "limit" });
});

test("paths on the ESP are relative, in one form, and different", () => {
  const at = (...paths: readonly string[]): string =>
    JSON.stringify({ ...REPORT, espFiles: paths.map((path) => ({ path, sizeBytes: 1, sha256: sha256("") })) });
  for (const paths of [["/EFI/x"], ["EFI//x"], ["EFI/"], [""], ["EFI/x", "efi/X"]]) {
    assert.throws(() => parseNextBootReport(at(...paths)), MALFORMED, paths.join());
  }
  assert.equal(parseNextBootReport(at("EFI/x", "EFI/y é")).espFiles.length, 2);
});

test("the report's exact text is what the quote is over", () => {
  const { reportText, quoteMessage } = parseNextBoot(JSON.stringify({ ...EVIDENCE, report: "{ }" }));
  assert.equal(reportText, "{ }");
  assert.deepEqual(quoteMessage, Buffer.alloc(3));
});

test("an answer of an older protocol is refused in words", () => {
  const older = JSON.stringify({ ...EVIDENCE, schema: "ashlar.next-boot/v1" });
  const message = /\$\.schema: expected ashlar\.next-boot\/v2, found "ashlar\.next-boot\/v1": .* Build a new image/u;
  assert.throws(() => parseNextBoot(older), { ...MALFORMED, message });
});

test("any text gives an answer or an AshlarError", () => {
  for (const parse of [parseUpdateStatus, parseNextBoot, parseNextBootReport]) {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          parse(text);
        } catch (error) {
          if (!(error instanceof AshlarError)) throw error;
        }
      }),
    );
  }
});
