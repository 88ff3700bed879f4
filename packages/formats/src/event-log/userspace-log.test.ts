import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, type HashName } from "../tpm/hash-algorithm.ts";
import { joined, refuses, survivesAnything } from "../tpm/test-malformed.ts";
import { vector } from "../tpm/test-vectors.ts";
import { parseUserspaceLog, type UserspaceEvent } from "./userspace-log.ts";

const LOG = vector("firmware-log-secure-boot/tpm2-measure.log");

function digestItem(hashAlg: HashName, word: string): { hashAlg: string; digest: string } {
  return { hashAlg, digest: Buffer.from(digestOf(hashAlg, Buffer.from(word))).toString("hex") };
}

const RECORD = {
  pcr: 13,
  digests: [digestItem("sha256", "a word")],
  content_type: "systemd",
  content: { string: "a word", bootId: "00000000000000000000000000000000", timestamp: 1, eventType: "phase" },
};

function log(...records: readonly unknown[]): Uint8Array {
  return joined(...records.map((record) => `\u001e${JSON.stringify(record)}\n`));
}

function only(record: unknown): UserspaceEvent {
  const [event, ...others] = parseUserspaceLog(log(record)).events;
  assert.ok(event);
  assert.equal(others.length, 0);
  return event;
}

test("reads what systemd measured, in order", () => {
  const { events } = parseUserspaceLog(LOG);
  assert.deepEqual(
    events.map(({ pcr, word, eventType }) => `${pcr} ${eventType} ${word?.slice(0, 13)}`),
    [
      "11 phase enter-initrd",
      "11 phase leave-initrd",
      "15 machine-id machine-id:d5",
      "13 phase sysext:hello:",
      "11 phase sysinit",
      "11 phase ready",
    ],
  );
  assert.deepEqual(parseUserspaceLog(new Uint8Array()).events, []);
});

test("a word is given only where each digest is its hash", () => {
  assert.equal(only(RECORD).word, "a word");
  const both = { ...RECORD, digests: [digestItem("sha256", "a word"), digestItem("sha1", "a word")] };
  assert.equal(only(both).word, "a word");
  assert.deepEqual(Object.keys(only(both).digests), ["sha256", "sha1"]);

  const claimed = only({ ...RECORD, content: { string: "another word" } });
  assert.equal(claimed.word, undefined);
  assert.equal(claimed.claimedWord, "another word");
  assert.equal(claimed.eventType, undefined);
  assert.equal(only({ ...both, digests: [digestItem("sha256", "a word"), digestItem("sha1", "x")] }).word, undefined);
  assert.equal(only({ ...RECORD, content: { string: "a word\0" } }).word, undefined);
});

test("a word that has no UTF-8 form is no word, though its replacement has the digest", () => {
  const record = log({ ...RECORD, digests: [digestItem("sha256", "\ud800")] });
  const text = Buffer.from(record)
    .toString()
    .replace('"a word"', String.raw`"\ud800"`);
  assert.equal(parseUserspaceLog(Buffer.from(text)).events[0]?.word, undefined);
});

test("a digest of an unknown hash proves no word and hinders none", () => {
  const sm3 = { hashAlg: "sm3-256", digest: "00".repeat(32) };
  assert.equal(only({ ...RECORD, digests: [...RECORD.digests, sm3] }).word, "a word");
  assert.equal(only({ ...RECORD, digests: [sm3] }).word, undefined);
});

test("every truncation is refused, except between two records", () => {
  let records = 0;
  for (let length = 1; length < LOG.length; length++) {
    if (LOG[length - 1] === 0x0a) records++;
    else refuses(() => parseUserspaceLog(LOG.subarray(0, length)), /expected a line feed at its end/u);
  }
  assert.equal(records, 5);
  refuses(() => parseUserspaceLog(joined(LOG, " ")), /record 7 at offset \d+: expected a record separator/u);
  refuses(() => parseUserspaceLog(joined("\u001e", LOG)), /record 1 at offset 0: expected JSON in UTF-8/u);
  refuses(() => parseUserspaceLog(LOG.subarray(1)), /record 1 at offset 0: expected a record separator/u);
});

test("refuses a wrong value in each field", () => {
  const [item] = RECORD.digests;
  const cases: readonly (readonly [record: unknown, message: RegExp])[] = [
    [[], /the record: expected an object/u],
    [null, /the record: expected an object/u],
    ["x", /the record: expected an object/u],
    [{ ...RECORD, pcr: undefined }, /pcr: expected 0 to 23, found undefined/u],
    [{ ...RECORD, pcr: "11" }, /pcr: expected 0 to 23, found "11"/u],
    [{ ...RECORD, pcr: 24 }, /pcr: expected 0 to 23, found 24/u],
    [{ ...RECORD, pcr: -1 }, /pcr: expected 0 to 23, found -1/u],
    [{ ...RECORD, pcr: 1.5 }, /pcr: expected 0 to 23, found 1.5/u],
    [{ ...RECORD, digests: undefined }, /digests: expected a list of 1 to 16/u],
    [{ ...RECORD, digests: [] }, /digests: expected a list of 1 to 16/u],
    [{ ...RECORD, digests: Array.from({ length: 17 }, () => item) }, /digests: expected a list of 1 to 16/u],
    [{ ...RECORD, digests: [item, item] }, /digests.hashAlg: sha256 occurs twice/u],
    [{ ...RECORD, digests: ["x"] }, /digests: expected an object/u],
    [{ ...RECORD, digests: [{ ...item, hashAlg: 11 }] }, /digests.hashAlg: expected a string/u],
    [{ ...RECORD, digests: [{ ...item, digest: "00" }] }, /digests.digest: expected 64 lower-case/u],
    [{ ...RECORD, digests: [{ ...item, digest: "G".repeat(64) }] }, /digests.digest: expected 64 lower-case/u],
    [{ ...RECORD, digests: [{ ...item, digest: 1 }] }, /digests.digest: expected 64 lower-case/u],
    [{ ...RECORD, content_type: "pcclient_std" }, /content_type: expected "systemd", found "pcclient_std"/u],
    [{ ...RECORD, content_type: undefined }, /content_type: expected "systemd", found undefined/u],
    [{ ...RECORD, content: undefined }, /content: expected an object/u],
    [{ ...RECORD, content: [] }, /content: expected an object/u],
    [{ ...RECORD, content: {} }, /content.string: expected a string/u],
    [{ ...RECORD, content: { string: "x", eventType: 1 } }, /content.eventType: expected a string/u],
  ];
  for (const [record, message] of cases) refuses(() => parseUserspaceLog(log(record)), message);
  refuses(() => parseUserspaceLog(joined("\u001e{}", Uint8Array.of(0xff), "\n")), /expected JSON in UTF-8/u);
  refuses(() => parseUserspaceLog(joined("\u001e\ufeff{}\n")), /expected JSON in UTF-8/u);
});

test("limits size, count and depth", () => {
  refuses(() => parseUserspaceLog(new Uint8Array(1024 * 1024 + 1)), /at most 1048576 bytes/u, "limit");
  const long = log({ ...RECORD, content: { string: "x".repeat(16 * 1024) } });
  refuses(() => parseUserspaceLog(long), /record 1 at offset 0: expected at most 16384 bytes/u, "limit");
  const short = { pcr: 1, digests: [{ hashAlg: "?" }], content_type: "systemd", content: { string: "" } };
  const many = log(...Array.from({ length: 8192 }, () => short));
  assert.equal(parseUserspaceLog(many).events.length, 8192);
  refuses(() => parseUserspaceLog(joined(many, log(short))), /expected at most 8192 records/u, "limit");
  refuses(() => parseUserspaceLog(joined("\u001e", "[".repeat(16_000), "\n")), /expected JSON/u);
});

test("survives anything", () => {
  survivesAnything(parseUserspaceLog, [LOG, vector("firmware-log-no-secure-boot/tpm2-measure.log"), log(RECORD)]);
});
