import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { extendAll, parseFirmwareLog, sha256, type FirmwareLog } from "@ashlar/formats";
import { eventsByPcr } from "../check/check-logs.ts";
import { firmwareOf, judgeFirmware, judgeHandOver, noteFirmware } from "./judge-firmware.ts";

const VECTORS = new URL("../../../../test/vectors/tpm/", import.meta.url);
const SEPARATOR = { digests: { sha256: Buffer.from(sha256(Buffer.alloc(4)), "hex") }, data: Buffer.alloc(4), type: 4 };
/** Authenticode SHA-256 of the driver that lay on the ESP when the log was made. */
const ROGUE = "ab2e778d8fcb76589b4206d3fb3b7e2cb1b7dd2735398e6e652f5644f702b94b";

function read(kind: string): FirmwareLog {
  return parseFirmwareLog(readFileSync(new URL(`firmware-log-${kind}/binary_bios_measurements`, VECTORS)));
}

const HONEST = read("no-secure-boot");

/** The differences as text, when an honest log's events are changed. */
function judge(change: (events: FirmwareLog["events"]) => FirmwareLog["events"], log = HONEST): string[] {
  const events = eventsByPcr({ ...log, events: change(log.events) }, { events: [] });
  return judgeHandOver(events).map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
}

const later = (pcr: number, data: string): FirmwareLog["events"][number] => ({
  pcr,
  type: 0x8000_00e0,
  digests: { sha256: Buffer.from(sha256(data), "hex") },
  data: Buffer.from(data),
});

test("firmware of real machines hands over cleanly, with Secure Boot and without", () => {
  for (const kind of ["no-secure-boot", "secure-boot"]) {
    assert.deepEqual(
      judge((events) => events, read(kind)),
      [],
      kind,
    );
  }
});

test("a driver that systemd-boot loaded from the ESP is named, whatever the log calls it", () => {
  const rogue = read("rogue-driver");
  const relabelled = rogue.events.map((event) => ({ ...event, type: 0x0d, data: Buffer.from("harmless") }));
  for (const events of [rogue.events, relabelled]) {
    const what = "PCR 2, a program was loaded after the firmware handed over (driver on the ESP?)";
    assert.deepEqual(
      judge(() => events, rogue),
      [`${what}: nothing / Authenticode ${ROGUE} (if it is the firmware's own: ashlar prove --accept-firmware)`],
    );
  }
});

test("nothing may follow the separator in a PCR on which the verdict rests; a flood is cut short", () => {
  for (const pcr of [0, 2, 3, 7]) {
    const differences = judge((events) => [...events, later(pcr, "late")]);
    assert.equal(differences.length, 1);
    assert.match(
      differences[0] ?? "",
      new RegExp(`^PCR ${pcr}, .* after the firmware handed over.*${sha256("late")}.*--accept-firmware`, "u"),
    );
  }
  const flood = Array.from({ length: 1000 }, (_, index) => later(3, String(index)));
  assert.equal(judge((events) => [...events, ...flood]).length, 8);
});

test("boot entries, tables and makers' own values may follow it: nothing rests on PCRs 1, 5 and 6", () => {
  for (const pcr of [1, 5, 6, 9]) {
    assert.deepEqual(
      judge((events) => [...events, later(pcr, "BootOrder"), later(pcr, "SMBIOS")]),
      [],
    );
  }
});

test("each of these PCRs has a separator; zeros or ones, as the specification has both", () => {
  for (const pcr of [0, 2, 3, 7]) {
    const isSeparator = (event: FirmwareLog["events"][number]): boolean =>
      event.pcr === pcr && event.type === SEPARATOR.type;
    assert.deepEqual(
      judge((events) => events.filter((event) => !isSeparator(event))),
      [`PCR ${pcr}, separators where the firmware hands over: 1 / 0`],
    );
    const ones = {
      digests: { sha256: Buffer.from(sha256(Buffer.alloc(4, 0xff)), "hex") },
      data: Buffer.alloc(4, 0xff),
    };
    assert.deepEqual(
      judge((events) => events.map((event) => (isSeparator(event) ? { ...event, ...ones } : event))),
      [],
    );
  }
});

test("four zero bytes that are firmware or a setting look like a separator; where programs are, nothing hides before a second one", () => {
  const early = (pcr: number) => judge((events) => [{ ...SEPARATOR, pcr }, ...events]);
  assert.deepEqual(early(0), []);
  assert.deepEqual(early(3), []);
  assert.match(early(2)[0] ?? "", /^PCR 2, a program was loaded after/u);
  const hidden = judge((events) => [...events, later(2, "driver"), { ...SEPARATOR, pcr: 2 }]);
  assert.match(hidden[0] ?? "", new RegExp(`^PCR 2, a program was loaded after .*${sha256("driver")}`, "u"));
});

test("what an operator has accepted by name may follow, and nothing else; the value is compared without it", () => {
  const own = later(2, "maker's driver");
  const pcrs = new Map(Array.from({ length: 16 }, (_, pcr) => [pcr, valueOf(HONEST.events, pcr)]));
  const eventsWith = (...more: FirmwareLog["events"]) =>
    eventsByPcr({ ...HONEST, events: [...HONEST.events, ...more] }, { events: [] });
  const pcrsWith = (...more: FirmwareLog["events"]) => new Map(pcrs).set(2, valueOf([...HONEST.events, ...more], 2));
  const accepted = [sha256("maker's driver")];
  const atEnrolment = firmwareOf({ pcrs: { sha256: pcrsWith(own) }, events: eventsWith(own) }, accepted);
  assert.equal(atEnrolment["2"], pcrs.get(2));
  assert.deepEqual(judgeFirmware({ pcrs: { sha256: pcrsWith(own) }, events: eventsWith(own) }, atEnrolment), []);
  assert.deepEqual(judgeFirmware({ pcrs: { sha256: pcrs }, events: eventsWith() }, atEnrolment), []);
  // Accepted later: the pinned value stays.
  const before = firmwareOf({ pcrs: { sha256: pcrs }, events: eventsWith() });
  assert.deepEqual(
    judgeFirmware({ pcrs: { sha256: pcrsWith(own) }, events: eventsWith(own) }, { ...before, accepted }),
    [],
  );
  const other = later(2, "another driver");
  const found = judgeFirmware({ pcrs: { sha256: pcrsWith(own, other) }, events: eventsWith(own, other) }, atEnrolment);
  assert.deepEqual(
    found.map((difference) => difference.found.slice(0, 77)),
    [`Authenticode ${sha256("another driver")}`],
  );
});

test("programs that firmware starts before it hands over are remembered; another one later is named", () => {
  const started = (...names: readonly string[]): FirmwareLog["events"] => {
    const programs = names.map((name) => Object.assign(later(4, name), { data: Buffer.from("a device path") }));
    return [...programs, ...HONEST.events];
  };
  const measurements = (...names: readonly string[]) => ({
    pcrs: { sha256: new Map(Array.from({ length: 16 }, (_, pcr) => [pcr, valueOf(started(...names), pcr)])) },
    events: eventsByPcr({ ...HONEST, events: started(...names) }, { events: [] }),
  });
  const pinned = firmwareOf(measurements("set-up services"));
  assert.deepEqual(pinned.programs, [sha256("set-up services")]);
  assert.deepEqual(judgeFirmware(measurements("set-up services"), pinned), []);
  assert.deepEqual(judgeFirmware(measurements(), pinned), [], "it runs on some boots only");
  assert.deepEqual(
    judgeFirmware(measurements("set-up services", "SysPrep"), pinned).map(({ code, what, found }) => [
      code,
      what,
      found.slice(0, 77),
    ]),
    [
      [
        "firmware-program",
        "PCR 4, the firmware started a program that it did not at enrolment",
        `Authenticode ${sha256("SysPrep")}`,
      ],
    ],
  );
  assert.deepEqual(noteFirmware(measurements("set-up services"), pinned, []), [
    `the firmware starts a program of its own, Authenticode ${sha256("set-up services")}`,
  ]);
});

test("firmware that has changed to one that is known to be good is no difference, and is named", () => {
  const changed = HONEST.events.with(0, {
    ...HONEST.events[0]!,
    digests: { sha256: Buffer.from(sha256("new"), "hex") },
  });
  const measure = (events: FirmwareLog["events"]) => ({
    pcrs: { sha256: new Map(Array.from({ length: 16 }, (_, pcr) => [pcr, valueOf(events, pcr)])) },
    events: eventsByPcr({ ...HONEST, events }, { events: [] }),
  });
  const pinned = firmwareOf(measure(HONEST.events));
  const known = [{ name: "Server 1, 2.0", firmware: firmwareOf(measure(changed)) }];
  assert.match(judgeFirmware(measure(changed), pinned)[0]?.what ?? "", /^PCR 0, firmware changed/u);
  assert.deepEqual(judgeFirmware(measure(changed), pinned, known), []);
  assert.deepEqual(noteFirmware(measure(changed), pinned, known), [
    "firmware changed since enrolment to one that is known to be good: Server 1, 2.0",
  ]);
  assert.deepEqual(noteFirmware(measure(HONEST.events), pinned, known), []);
  // What came in late is not let in by a known value.
  const driver = [...changed, later(2, "driver")];
  assert.match(judgeFirmware(measure(driver), pinned, known)[0]?.what ?? "", /^PCR 2, a program was loaded/u);
  const other = changed.with(1, { ...changed[1]!, digests: { sha256: Buffer.from(sha256("evil"), "hex") } });
  assert.equal(judgeFirmware(measure(other), pinned, known).length, 1);
});

function valueOf(events: FirmwareLog["events"], pcr: number): string {
  return extendAll(
    events.filter((event) => event.pcr === pcr).map(({ digests }) => Buffer.from(digests.sha256 ?? []).toString("hex")),
  );
}

test("in PCR 7 only entries of Secure Boot's database may follow, proved by their digest", () => {
  const secure = read("secure-boot");
  const last = secure.events.findLast(({ pcr }) => pcr === 7);
  assert.ok(last !== undefined);
  const change = (offset: number, rehash: boolean): string[] => {
    const data = Buffer.from(last.data);
    data[offset]! ^= 1;
    const digests = rehash ? { sha256: Buffer.from(sha256(data), "hex") } : last.digests;
    return judge((events) => events.with(events.indexOf(last), { ...last, data, digests }), secure);
  };
  // Another certificate in the database, then another vendor, another length of the name, another name.
  assert.equal(change(last.data.length - 1, true).length, 0);
  for (const offset of [0, 16, 32]) assert.equal(change(offset, true).length, 1, String(offset));
  assert.match(change(last.data.length - 1, false)[0] ?? "", /^PCR 7, something was measured after/u);
});

test("a pinned value that has changed is named, but not when something came in later", () => {
  const pcrs = new Map(Array.from({ length: 16 }, (_, pcr) => [pcr, sha256(`PCR ${pcr}`)]));
  const events = eventsByPcr(HONEST, { events: [] });
  const pinned = firmwareOf({ pcrs: { sha256: pcrs }, events });
  assert.deepEqual(judgeFirmware({ pcrs: { sha256: pcrs }, events }, pinned), []);
  for (const pcr of [0, 2, 3, 7]) {
    const [difference, ...more] = judgeFirmware(
      { pcrs: { sha256: new Map(pcrs).set(pcr, sha256("new")) }, events },
      pinned,
    );
    assert.match(difference?.what ?? "", new RegExp(`^PCR ${pcr}, firmware changed since enrolment: `, "u"));
    assert.equal(difference?.expected, sha256(`PCR ${pcr}`));
    assert.match(difference?.found ?? "", new RegExp(`^${sha256("new")} .*--enrol-again`, "u"));
    assert.deepEqual(more, []);
  }
  const rogue = eventsByPcr(read("rogue-driver"), { events: [] });
  const found = judgeFirmware({ pcrs: { sha256: new Map(pcrs).set(2, sha256("new")) }, events: rogue }, pinned);
  assert.deepEqual(
    found.map(({ what }) => what.slice(0, 27)),
    ["PCR 2, a program was loaded"],
  );
});
