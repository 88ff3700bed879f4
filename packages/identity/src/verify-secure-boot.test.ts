import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseFirmwareLog, sha256 } from "@ashlar/formats";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import type { TestLogs } from "@ashlar/protocol/test-fixtures";
import { eventsByPcr } from "./check/check-logs.ts";
import { secureBootState } from "./judge/secure-boot-state.ts";
import { assertRefused, EXPECTATIONS, judgeBoot, LOGS, node, RELEASE } from "./test-judged-node.ts";

const VECTOR = new URL("../../../test/vectors/tpm/firmware-log-secure-boot/binary_bios_measurements", import.meta.url);
const LOG = parseFirmwareLog(readFileSync(VECTOR));
const { keys } = secureBootState(eventsByPcr(LOG, { events: [] }).get(7) ?? []);
const REAL: TestLogs["firmware"] = LOG.events
  .filter(({ pcr }) => pcr === 7)
  .map(({ pcr, type, digests, data }) => ({
    pcr,
    type,
    data,
    digest: Buffer.from(digests.sha256 ?? []).toString("hex"),
  }));
const KERNEL = RELEASE.uki.linuxAuthenticode;
const firmware = LOGS.firmware.filter(({ pcr, digest }) => pcr !== 7 && digest !== KERNEL).concat(REAL);
/** A machine with Secure Boot on, whose stub has started the kernel by itself. */
const ON: TestLogs = { ...LOGS, firmware };

const keyOf = (entries: readonly string[] | undefined) => ({
  certificateSha256: entries?.[0] ?? "",
  variableSha256: sha256("auth"),
});
const SIGNED: ReleaseManifest = {
  ...RELEASE,
  secureBoot: { PK: keyOf(keys.PK), KEK: keyOf(keys.KEK), db: keyOf(keys.db) },
};
const pinOf = (logs: TestLogs) => {
  node.boot(logs);
  return node.pin;
};

test("with Secure Boot on the kernel inside the UKI is not measured as a file, and the node is proven", () => {
  const expectations = { ...EXPECTATIONS, release: SIGNED, requiresSecureBoot: true };
  const verdict = judgeBoot(ON, { expectations, pin: pinOf(ON) });
  assert.deepEqual([verdict.level, verdict.differences], ["proven", []]);
  assert.match(verdict.notes.join("\n"), /^Secure Boot is on, with the owner's keys alone: db [0-9a-f]{64}$/mu);
  const measured = LOGS.firmware.filter(({ pcr }) => pcr !== 7).concat(REAL);
  assert.equal(judgeBoot({ ...LOGS, firmware: measured }, { expectations, pin: pinOf(ON) }).level, "proven");
});

test("without Secure Boot a kernel that was not measured is missing", () => {
  const without = { ...LOGS, firmware: LOGS.firmware.filter(({ digest }) => digest !== KERNEL) };
  assertRefused(judgeBoot(without, { pin: pinOf(LOGS) }), /^PCR 4, kernel in the unified kernel image: .* nothing$/u);
});

test("Secure Boot that is off is said, and a mismatch where the class requires it", () => {
  const expectations = { ...EXPECTATIONS, release: SIGNED };
  const pin = pinOf(LOGS);
  const said = judgeBoot(LOGS, { expectations, pin });
  assert.equal(said.level, "proven");
  assert.match(said.notes.join("\n"), /^Secure Boot: expected on, found off/mu);
  const required = judgeBoot(LOGS, { expectations: { ...expectations, requiresSecureBoot: true }, pin });
  assert.deepEqual([required.level, required.differences.map(({ code }) => code)], ["mismatch", ["secure-boot"]]);
});

test("another key in the firmware is a mismatch where the class requires Secure Boot", () => {
  assert.ok(SIGNED.secureBoot !== undefined);
  const release = { ...SIGNED, secureBoot: { ...SIGNED.secureBoot, db: keyOf([sha256("the owner's")]) } };
  const expectations = { ...EXPECTATIONS, release, requiresSecureBoot: true };
  const verdict = judgeBoot(ON, { expectations, pin: pinOf(ON) });
  assert.deepEqual(
    [verdict.level, verdict.differences.map(({ code, subject }) => [code, subject])],
    ["mismatch", [["secure-boot-keys", "db"]]],
  );
});
