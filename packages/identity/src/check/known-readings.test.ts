import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AshlarError } from "@ashlar/base";
import { parseUserspaceLog } from "@ashlar/formats";
import { parseNextBootReport } from "@ashlar/protocol/answers";
import {
  firmwareLogBytes,
  testLogs,
  testNextBootReport,
  testRelease,
  userspaceLogBytes,
} from "@ashlar/protocol/test-fixtures";
import { KnownReadings } from "./known-readings.ts";

const RELEASE = testRelease("1.0.0");
const LOGS = testLogs(RELEASE, "a".repeat(64), "b".repeat(64));
const FIRMWARE = firmwareLogBytes(LOGS.firmware);
const USERSPACE = userspaceLogBytes(LOGS.words);
const REPORT = Buffer.from(JSON.stringify(testNextBootReport([[RELEASE, "ashlar_1.0.0.efi"]])));

/** The value, or why there is none. */
function outcome(read: () => object): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof AshlarError) return error.message;
    throw error;
  }
}

function flipped(bytes: Uint8Array, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}

const READERS: readonly {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly read: (readings: KnownReadings, bytes: Buffer) => object;
}[] = [
  {
    what: "a firmware's log",
    bytes: FIRMWARE,
    read: (readings, bytes) => {
      const { events, startupLocality } = readings.firmwareLog(bytes);
      return { events, startupLocality };
    },
  },
  {
    what: "systemd's log",
    bytes: USERSPACE,
    read: (readings, bytes) => parseUserspaceLog(bytes, readings.records),
  },
  {
    what: "a report about the next boot",
    bytes: REPORT,
    // Decoded by who reads the file: what is no UTF-8 is the same text as its replacement.
    read: (readings, bytes) => readings.nextBootReport(bytes.toString("utf8")),
  },
];

for (const { what, bytes, read } of READERS) {
  test(`${what} with another byte, wherever it is, is never read as one that was read before`, () => {
    const shared = new KnownReadings();
    const sound = outcome(() => read(shared, Buffer.from(bytes)));
    assert.equal(typeof sound, "object");
    for (let at = 0; at < bytes.length; at++) {
      const other = flipped(bytes, at, at % 8);
      assert.deepEqual(
        outcome(() => read(shared, other)),
        outcome(() => read(new KnownReadings(), other)),
        `byte ${at}`,
      );
    }
    // And it has kept what it read first.
    assert.deepEqual(
      outcome(() => read(shared, Buffer.from(bytes))),
      sound,
    );
  });

  test(`${what}: whatever was read before, in any order, changes nothing`, () => {
    const cut = fc.nat({ max: bytes.length }).map((length) => Buffer.from(bytes.subarray(0, length)));
    const changed = fc
      .tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 7 }))
      .map(([at, bit]) => flipped(bytes, at, bit));
    const twice = fc.constant(Buffer.concat([bytes, bytes]));
    const one = fc.oneof(fc.constant(Buffer.from(bytes)), cut, changed, twice);
    fc.assert(
      fc.property(fc.array(one, { minLength: 2, maxLength: 8 }), (several) => {
        const shared = new KnownReadings();
        for (const each of several) {
          assert.deepEqual(
            outcome(() => read(shared, each)),
            outcome(() => read(new KnownReadings(), each)),
          );
        }
      }),
      { numRuns: 100 },
    );
  });
}

test("what was read does not change with the buffer that it was read from", () => {
  const readings = new KnownReadings();
  const [firmware, userspace] = [Buffer.from(FIRMWARE), Buffer.from(USERSPACE)];
  readings.firmwareLog(firmware);
  parseUserspaceLog(userspace, readings.records);
  firmware.fill(0);
  userspace.fill(0);
  const fresh = new KnownReadings();
  assert.deepEqual(readings.firmwareLog(Buffer.from(FIRMWARE)).events, fresh.firmwareLog(Buffer.from(FIRMWARE)).events);
  assert.deepEqual(parseUserspaceLog(USERSPACE, readings.records), parseUserspaceLog(USERSPACE));
});

test("more kinds of machines than are kept are read all the same", () => {
  const readings = new KnownReadings();
  const reports = Array.from({ length: 100 }, (_, index) => `${" ".repeat(index)}${REPORT.toString("utf8")}`);
  for (const text of [...reports, ...reports])
    assert.deepEqual(readings.nextBootReport(text), parseNextBootReport(text));
});
