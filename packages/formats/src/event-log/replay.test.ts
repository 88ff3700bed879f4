import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../tpm/hash-algorithm.ts";
import { refuses } from "../tpm/test-malformed.ts";
import { pcrVector, vector } from "../tpm/test-vectors.ts";
import { type FirmwareLog, parseFirmwareLog } from "./firmware-log.ts";
import { replayPcrs } from "./replay.ts";
import { parseUserspaceLog, type UserspaceLog } from "./userspace-log.ts";

const NOTHING: FirmwareLog = { events: [], startupLocality: 0 };
const NO_WORDS: UserspaceLog = { events: [] };
/** The kernel's IMA extends it and has a log of its own. */
const IMA_PCR = 10;

for (const directory of ["firmware-log-no-secure-boot", "firmware-log-secure-boot"]) {
  test(`both logs of ${directory} replay to the values that the machine had`, () => {
    const firmware = parseFirmwareLog(vector(`${directory}/binary_bios_measurements`));
    const userspace = parseUserspaceLog(vector(`${directory}/tpm2-measure.log`));
    const expected = pcrVector(directory);
    const replayed = replayPcrs(firmware, userspace, "sha256");
    assert.deepEqual([...replayed.keys()], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    for (const [pcr, value] of replayed) {
      if (pcr !== IMA_PCR) assert.equal(Buffer.from(value).toString("hex"), expected.get(pcr), `PCR ${pcr}`);
    }
    const withoutUserspace = replayPcrs(firmware, NO_WORDS, "sha256");
    for (const pcr of [11, 15]) {
      assert.notEqual(Buffer.from(withoutUserspace.get(pcr) ?? []).toString("hex"), expected.get(pcr), `PCR ${pcr}`);
    }
  });
}

test("one event more, fewer, changed or moved gives another value", () => {
  const firmware = parseFirmwareLog(vector("firmware-log-secure-boot/binary_bios_measurements"));
  const pcr4 = (events: FirmwareLog["events"]): string =>
    Buffer.from(replayPcrs({ ...firmware, events }, NO_WORDS, "sha256").get(4) ?? []).toString("hex");
  const { events } = firmware;
  const [first, second, ...others] = events.filter(({ pcr }) => pcr === 4);
  assert.ok(first && second);
  const changed = { ...second, digests: { sha256: new Uint8Array(32) } };
  const values = [
    [first, second, ...others],
    [first, ...others],
    [first, second, second, ...others],
    [second, first, ...others],
    [first, changed, ...others],
  ].map(pcr4);
  assert.equal(values[0], pcr4(events));
  assert.equal(new Set(values).size, values.length);
});

test("PCR 0 begins with the locality that started the TPM", () => {
  const digest = digestOf("sha384", Uint8Array.of(1));
  const events = [{ pcr: 0, type: 8, digests: { sha384: digest }, data: new Uint8Array() }];
  const start = new Uint8Array(48);
  start[47] = 3;
  const replayed = replayPcrs({ events, startupLocality: 3 }, NO_WORDS, "sha384");
  assert.deepEqual(replayed.get(0), digestOf("sha384", start, digest));
  assert.deepEqual(replayed.get(1), new Uint8Array(48));
});

test("events in PCRs that can be reset are left out", () => {
  const digests = { sha256: new Uint8Array(32) };
  const userspace = { events: [{ pcr: 23, digests, word: undefined, claimedWord: "", eventType: undefined }] };
  assert.deepEqual(replayPcrs(NOTHING, userspace, "sha256"), replayPcrs(NOTHING, NO_WORDS, "sha256"));
  assert.ok(!replayPcrs(NOTHING, userspace, "sha256").has(23));
});

test("an event without a digest for the bank cannot be replayed", () => {
  const firmware = parseFirmwareLog(vector("firmware-log-secure-boot/binary_bios_measurements"));
  refuses(
    () => replayPcrs(firmware, NO_WORDS, "sha1"),
    /firmware log: event 1 \(PCR 0\) has no sha1 digest/u,
    "invalid",
  );
});
