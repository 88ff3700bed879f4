import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../tpm/hash-algorithm.ts";
import { joined, patched, refuses, survivesAnything } from "../tpm/test-malformed.ts";
import { vector } from "../tpm/test-vectors.ts";
import { firmwareEventTypeName } from "./event-types.ts";
import { parseFirmwareLog } from "./firmware-log.ts";

const LOG = vector("firmware-log-no-secure-boot/binary_bios_measurements");
const SECURE_BOOT_LOG = vector("firmware-log-secure-boot/binary_bios_measurements");
/** The header record with SHA-256 as the only bank: 32 bytes and the 33 of its event. */
const HEADER = LOG.subarray(0, 65);
/** Where the header's event begins, and its count of algorithms. */
const SPEC_ID = 32;
const ALGORITHMS = SPEC_ID + 24;

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

const SHA256_ID = Uint8Array.of(0x0b, 0);

function event(pcr: number, type: number, data: Uint8Array | string): Uint8Array {
  const bytes = joined(data);
  return joined(u32(pcr), u32(type), u32(1), SHA256_ID, digestOf("sha256", bytes), u32(bytes.length), bytes);
}

function startupLocality(locality: number, pcr = 0): Uint8Array {
  return event(pcr, 3, joined("StartupLocality\0", Uint8Array.of(locality)));
}

test("reads what OVMF, systemd-boot and the stub measured", () => {
  const { events, startupLocality: locality } = parseFirmwareLog(LOG);
  assert.equal(locality, 0);
  assert.equal(events.length, 49);
  const bootLoader = events.filter(({ pcr }) => pcr === 4);
  assert.deepEqual(
    bootLoader.map(({ type }) => firmwareEventTypeName(type)),
    [
      "EV_EFI_ACTION",
      "EV_SEPARATOR",
      // The first boot option failed.
      "EV_EFI_ACTION",
      "EV_EFI_ACTION",
      "EV_EFI_BOOT_SERVICES_APPLICATION",
      "EV_EFI_BOOT_SERVICES_APPLICATION",
      "EV_EFI_BOOT_SERVICES_APPLICATION",
    ],
  );
  const [action] = bootLoader;
  assert.ok(action);
  assert.equal(Buffer.from(action.data).toString(), "Calling EFI Application from Boot Option");
  assert.deepEqual(Buffer.from(action.digests.sha256 ?? []), digestOf("sha256", action.data));
  assert.equal(action.digests.sha1, undefined);
  const withSecureBoot = parseFirmwareLog(SECURE_BOOT_LOG).events.filter(({ pcr }) => pcr === 4);
  assert.equal(withSecureBoot.length, bootLoader.length - 1, "the stub's kernel is measured only without Secure Boot");
});

test("records that extend nothing are left out", () => {
  const log = joined(HEADER, event(0xffff_ffff, 3, "note"), event(4, 4, "x"), event(4, 3, "note"));
  assert.deepEqual(
    parseFirmwareLog(log).events.map(({ type }) => type),
    [4],
  );
  assert.deepEqual(parseFirmwareLog(HEADER).events, []);
});

test("an unknown type has its number for a name", () => {
  assert.equal(firmwareEventTypeName(0x8000_00e0), "EV_EFI_VARIABLE_AUTHORITY");
  assert.equal(firmwareEventTypeName(0x1234), "0x00001234");
});

test("the locality that started the TPM is read", () => {
  assert.equal(parseFirmwareLog(joined(HEADER, startupLocality(3), event(0, 8, "x"))).startupLocality, 3);
  assert.equal(parseFirmwareLog(joined(HEADER, event(7, 1, "x"), startupLocality(4))).startupLocality, 4);
  const late = joined(HEADER, event(0, 8, "x"), startupLocality(3));
  refuses(() => parseFirmwareLog(late), /StartupLocality: expected once, before PCR 0/u);
  refuses(() => parseFirmwareLog(joined(HEADER, startupLocality(3), startupLocality(3))), /expected once/u);
  refuses(() => parseFirmwareLog(joined(HEADER, startupLocality(1))), /expected 0, 3 or 4/u);
  refuses(() => parseFirmwareLog(joined(HEADER, startupLocality(3, 1))), /for PCR 0/u);
  const short = joined(HEADER, event(0, 3, "StartupLocality\0"));
  refuses(() => parseFirmwareLog(short), /in one byte/u);
});

test("a hardware root of trust starts PCR 0 from 4, whatever the log has recorded before or after it", () => {
  const HCRTM = event(0, 0x8000_0010, "HCRTM");
  const localityOf = (...records: readonly Uint8Array[]): number =>
    parseFirmwareLog(joined(HEADER, ...records)).startupLocality;
  assert.equal(localityOf(HCRTM, event(0, 8, "x")), 4);
  for (const recorded of [0, 3, 4]) {
    assert.equal(localityOf(startupLocality(recorded), HCRTM), 4);
    assert.equal(localityOf(HCRTM, startupLocality(recorded), event(0, 8, "x")), 4);
  }
  assert.equal(localityOf(event(0, 8, "x"), HCRTM), 0, "not the first");
  assert.equal(localityOf(event(7, 8, "x"), HCRTM), 4, "the first in PCR 0");
});

test("coreboot's records are all of one size, with zeros behind the locality", () => {
  const padded = event(0, 3, joined("StartupLocality\0", Uint8Array.of(3), new Uint8Array(33)));
  assert.equal(parseFirmwareLog(joined(HEADER, padded, event(0, 8, "x"))).startupLocality, 3);
});

test("a log of TPM 1.2's form is named also when its end is cut off, or its header is that form's", () => {
  const record = (type: number, data: string): Uint8Array =>
    joined(u32(type === 3 ? 0 : 4), u32(type), new Uint8Array(20).fill(type), u32(data.length), data);
  const specId = record(3, "Spec ID Event02\0.......");
  const whole = joined(specId, ...[8, 1, 0x8000_0008, 4, 5].map((type) => record(type, "data")));
  for (const log of [whole, whole.subarray(specId.length), whole.subarray(0, -2), whole.subarray(0, -20)]) {
    assert.throws(() => parseFirmwareLog(log), { code: "invalid", message: /found only SHA-1/u });
  }
  refuses(() => parseFirmwareLog(record(8, "data").subarray(0, 34)), /header: expected EV_NO_ACTION/u);
});

test("every truncation is refused, except between two records", () => {
  const boundaries: number[] = [];
  for (let length = 0; length < LOG.length; length++) {
    const prefix = LOG.subarray(0, length);
    try {
      parseFirmwareLog(prefix);
      boundaries.push(length);
    } catch {
      refuses(() => parseFirmwareLog(prefix), /needs|expected/u);
    }
  }
  // After the header, and after each of the 49 other records but the last.
  assert.equal(boundaries[0], HEADER.length);
  assert.equal(boundaries.length, 49);
  refuses(() => parseFirmwareLog(joined(LOG, Uint8Array.of(0))), /pcrIndex needs 4 bytes, found 1/u);
});

test("refuses a wrong value in each field of the header", () => {
  const cases: readonly (readonly [offset: number, value: readonly number[], message: RegExp])[] = [
    [0, [1], /header: expected EV_NO_ACTION in PCR 0/u],
    [4, [4], /header: expected EV_NO_ACTION in PCR 0, found type 4/u],
    [8, [1], /header.digest: expected zeros/u],
    [28, [0xff, 0xff, 0xff, 0xff], /header.event needs 4294967295 bytes/u],
    [28, [32], /TCG_EfiSpecIdEvent at offset 32: vendorInfoSize needs/u],
    [28, [34], /TCG_EfiSpecIdEvent .* expected the end/u],
    [SPEC_ID + 14, [0x32], /signature: expected "Spec ID Event03"/u],
    [SPEC_ID + 21, [1], /specVersionMajor: expected 2, found 1/u],
    [ALGORITHMS, [0], /numberOfAlgorithms: expected 1 to 16, found 0/u],
    [ALGORITHMS, [17], /numberOfAlgorithms: expected 1 to 16, found 17/u],
    [ALGORITHMS, [0xff, 0xff, 0xff, 0xff], /numberOfAlgorithms: .*4294967295/u],
    [ALGORITHMS, [2], /algorithmId needs 2 bytes|digestSize needs 2 bytes/u],
    [ALGORITHMS + 6, [31], /digestSize: expected 32, found 31/u],
    [ALGORITHMS + 4, [0x12, 0, 0, 0], /digestSize: expected 1 to 64, found 0/u],
    [ALGORITHMS + 4, [0x12, 0, 65, 0], /digestSize: expected 1 to 64, found 65/u],
    [ALGORITHMS + 8, [1], /vendorInfo needs 1 bytes/u],
  ];
  for (const [offset, value, message] of cases)
    refuses(() => parseFirmwareLog(patched(LOG, offset, ...value)), message);
});

test("refuses a wrong value in each field of an event", () => {
  const log = joined(HEADER, event(4, 13, "data"));
  const start = HEADER.length;
  const cases: readonly (readonly [offset: number, value: readonly number[], message: RegExp])[] = [
    [0, [24], /pcrIndex: expected at most 23, found 24/u],
    [8, [2], /digests.count: expected at most 1, found 2/u],
    [8, [0xff, 0xff, 0xff, 0xff], /digests.count: .*4294967295/u],
    [12, [0x0c], /digests.hashAlg: 0x000c is not in the log's header/u],
    [46, [0xff, 0xff, 0xff, 0xff], /event needs 4294967295 bytes/u],
    [46, [3], /pcrIndex needs 4 bytes, found 1/u],
  ];
  for (const [offset, value, message] of cases) {
    refuses(() => parseFirmwareLog(patched(log, start + offset, ...value)), message);
  }
});

test("reads several banks and skips one of an unknown hash", () => {
  const sm3 = Uint8Array.of(0x12, 0, 32, 0);
  const sha1 = Uint8Array.of(0x04, 0, 20, 0);
  const specId = joined(LOG.subarray(SPEC_ID, ALGORITHMS), u32(2), sm3, sha1, Uint8Array.of(0));
  const header = joined(LOG.subarray(0, 28), u32(specId.length), specId);
  const digests = [Uint8Array.of(0x04, 0), new Uint8Array(20).fill(1), Uint8Array.of(0x12, 0), new Uint8Array(32)];
  const record = joined(u32(1), u32(1), u32(2), ...digests, u32(0));
  const [only] = parseFirmwareLog(joined(header, record)).events;
  assert.deepEqual(only?.digests, { sha1: new Uint8Array(20).fill(1) });

  const twice = joined(u32(1), u32(1), u32(2), ...digests.slice(0, 2), ...digests.slice(0, 2), u32(0));
  refuses(() => parseFirmwareLog(joined(header, twice)), /digests.hashAlg: 0x0004 occurs twice/u);
  const doubled = joined(LOG.subarray(SPEC_ID, ALGORITHMS), u32(2), sha1, sha1, Uint8Array.of(0));
  const wrong = joined(LOG.subarray(0, 28), u32(doubled.length), doubled);
  refuses(() => parseFirmwareLog(wrong), /algorithmId: 0x0004 occurs twice/u);
});

test("limits size and count", () => {
  refuses(() => parseFirmwareLog(new Uint8Array(1024 * 1024 + 1)), /at most 1048576 bytes/u, "limit");
  const empty = joined(u32(1), u32(1), u32(0), u32(0));
  const many = joined(HEADER, ...Array.from({ length: 8192 }, () => empty));
  assert.equal(parseFirmwareLog(many).events.length, 8192);
  refuses(() => parseFirmwareLog(joined(many, empty)), /at most 8192 records/u, "limit");
});

test("survives anything", () => survivesAnything(parseFirmwareLog, [LOG, SECURE_BOOT_LOG, HEADER]));
