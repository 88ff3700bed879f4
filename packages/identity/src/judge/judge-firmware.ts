import { extendAll } from "@ashlar/formats";
import { quotedBanks, type MeasuredEvent, type Measurements } from "../check/check-logs.ts";
import type { Difference } from "../check/difference.ts";
import { bankOf, shownDigest } from "../check/known-digests.ts";
import type { PcrBank } from "@ashlar/protocol";
import {
  FIRMWARE_PCRS,
  findHandOver,
  type HandOver,
  HOW_TO_ACCEPT,
  PROGRAMS_PCR,
  programsAmong,
  type FirmwarePcr,
} from "./hand-over.ts";

/**
 * A node's firmware as it was at enrolment: what honest reboots do not change. PCR 1 holds boot entries and the machine's
 * tables, 5 the partition table, 6 what a maker likes; all change when nothing is wrong, and nothing rests on them.
 */
export type PinnedFirmware = FirmwareValues & {
  /** The same in the SHA-384 bank, where both are on. Where SHA-256 is off, the values beside it are SHA-384's. */
  readonly sha384?: FirmwareValues;
  /** Digests that the operator has accepted by name: programs, or events after the hand-over. */
  readonly accepted?: readonly string[];
};

/** Of one bank: the length of the values says which. */
export type FirmwareValues = Readonly<Record<"0" | "2" | "3" | "7", string>> & {
  /** Authenticode digests of programs that firmware started before it handed over. */
  readonly programs?: readonly string[];
};

/** Firmware that the operator knows to be good: values taken from one machine that is trusted, for all of its model. */
export type KnownFirmware = {
  /** For people: model and firmware's version. */
  readonly name: string;
  readonly firmware: PinnedFirmware;
};

const MEANINGS: Readonly<Record<FirmwarePcr, string>> = {
  0: "firmware",
  2: "drivers and option ROMs that the firmware loads",
  3: "settings of drivers",
  7: "Secure Boot's settings",
};

/** More than any firmware has; with more a node is enrolled, and not proven. */
export const MAX_FIRMWARE_DIGESTS = 64;

/** What an enrolment pins. */
export function firmwareOf(measurements: Measurements, accepted: readonly string[] = []): PinnedFirmware {
  const [first = "sha256", second] = quotedBanks(measurements.pcrs);
  return {
    ...valuesOf(first, measurements, accepted),
    ...(second === "sha384" ? { sha384: valuesOf(second, measurements, accepted) } : {}),
    ...(accepted.length === 0 ? {} : { accepted }),
  };
}

function valuesOf(bank: PcrBank, measurements: Measurements, accepted: readonly string[]): FirmwareValues {
  const value = (pcr: FirmwarePcr): string => valueWithout(bank, pcr, measurements, new Set(accepted));
  const programs = firmwarePrograms(measurements.events).flatMap(({ banks }) => banks[bank] ?? []);
  const pinned = [...new Set(programs)].slice(0, MAX_FIRMWARE_DIGESTS);
  return {
    "0": value(0),
    "2": value(2),
    "3": value(3),
    "7": value(7),
    ...(pinned.length === 0 ? {} : { programs: pinned }),
  };
}

/** What firmware itself started before it handed over: a maker's set-up services, or a SysPrep#### variable's program. */
function firmwarePrograms(events: Measurements["events"]): MeasuredEvent[] {
  return programsAmong(findHandOver(PROGRAMS_PCR, events.get(PROGRAMS_PCR) ?? [])?.before ?? []);
}

/** The banks of which something is pinned, each with its values. */
function pinnedBanks(pinned: PinnedFirmware): [PcrBank, FirmwareValues][] {
  const first = bankOf(pinned["0"]) ?? "sha256";
  return pinned.sha384 === undefined
    ? [[first, pinned]]
    : [
        [first, pinned],
        ["sha384", pinned.sha384],
      ];
}

/** A bank that was on at enrolment must be in every quote: less may not be shown than was. */
export function judgeBanks({ pcrs }: Measurements, pinned: PinnedFirmware): Difference[] {
  return pinnedBanks(pinned).flatMap(([bank]): Difference[] => {
    if (pcrs[bank] !== undefined) return [];
    const found = `only ${quotedBanks(pcrs).join(", ")} (if you have switched it off: ashlar prove --enrol-again)`;
    return [
      { code: "pcr-bank", subject: bank, what: "PCR banks in the quote", expected: `${bank}, as at enrolment`, found },
    ];
  });
}

/**
 * A PCR's value as if what was accepted after the hand-over had not been measured. PCR 0 is taken whole: what it starts from
 * differs between machines.
 */
function valueWithout(
  bank: PcrBank,
  pcr: FirmwarePcr,
  { pcrs, events }: Measurements,
  accepted: ReadonlySet<string>,
): string {
  const quoted = pcrs[bank]?.get(pcr) ?? "no value";
  const all = events.get(pcr) ?? [];
  const handOver = pcr === 0 ? undefined : findHandOver(pcr, all);
  const after = handOver?.after.filter(({ digest }) => !accepted.has(digest));
  if (handOver === undefined || after === undefined || after.length === handOver.after.length) return quoted;
  const kept = [...all.slice(0, handOver.before.length + 1), ...after];
  return extendAll(
    kept.map(({ banks }) => banks[bank] ?? ""),
    bank,
  );
}

/**
 * Nothing may be measured into the firmware's PCRs after it has handed over. A driver that the boot loader finds on the
 * ESP is: into PCR 2 (PFP, 3.3.4), and it could have changed the kernel. Some firmware loads drivers of its own as late; no
 * digest tells these from others, so that an operator who knows the machine accepts them by name.
 */
export function judgeHandOver(
  events: Measurements["events"],
  accepted: ReadonlySet<string> = new Set<string>(),
): Difference[] {
  return FIRMWARE_PCRS.flatMap((pcr) => judgePcr(pcr, events.get(pcr) ?? [], accepted));
}

function judgePcr(pcr: FirmwarePcr, events: readonly MeasuredEvent[], accepted: ReadonlySet<string>): Difference[] {
  const handOver = findHandOver(pcr, events);
  if (handOver === undefined) {
    const what = `PCR ${pcr}, separators where the firmware hands over`;
    return [{ code: "firmware-handover", subject: String(pcr), what, expected: "1", found: "0" }];
  }
  const what =
    pcr === 2
      ? "PCR 2, a program was loaded after the firmware handed over (driver on the ESP?)"
      : `PCR ${pcr}, something was measured after the firmware handed over`;
  return lateEvents(pcr, handOver)
    .filter(({ digest }) => !accepted.has(digest))
    .slice(0, MAX_LATER)
    .map(({ digest }) => ({
      code: "firmware-handover",
      subject: String(pcr),
      what,
      expected: "nothing",
      found: `${pcr === 2 ? "Authenticode" : "digest"} ${shownDigest(digest)} (${HOW_TO_ACCEPT})`,
    }));
}

/** What came after the hand-over, where only what an operator has accepted by its digest may. */
export function lateEvents(pcr: FirmwarePcr, { after }: HandOver): readonly MeasuredEvent[] {
  return pcr === 7 ? after.filter((event) => !isDatabaseEntry(event)) : after;
}

/** A hostile log may hold thousands. */
const MAX_LATER = 8;

/**
 * With Secure Boot, firmware measures into PCR 7 which entry of its database has let a program through, also after the
 * separator (PFP, 3.3.4): UEFI_VARIABLE_DATA with the vendor's GUID and a name of 2 characters, "db" (PFP, 10.2).
 */
function isDatabaseEntry({ data }: MeasuredEvent): boolean {
  if (data === undefined) return false;
  const bytes = Buffer.from(data);
  return bytes.subarray(0, 24).equals(DATABASE) && bytes.subarray(32, 36).equals(DATABASE_NAME);
}

/** EFI_IMAGE_SECURITY_DATABASE_GUID, d719b2cb-3d3a-4596-a3bc-dad00e67656f, then the length of the name. */
const DATABASE = Buffer.from("cbb219d73a3d9645a3bcdad00e67656f0200000000000000", "hex");
const DATABASE_NAME = Buffer.from("db", "utf16le");

/** The firmware, judged: a clean hand-over, and what was pinned, or is known to be good. */
export function judgeFirmware(
  measurements: Measurements,
  pinned: PinnedFirmware,
  known: readonly KnownFirmware[] = [],
): Difference[] {
  const differences = compareWithPin(measurements, pinned);
  return differences.length > 0 && findKnownFirmware(measurements, known) !== undefined ? [] : differences;
}

/** The known firmware that a machine has, whatever was pinned. */
export function findKnownFirmware(
  measurements: Measurements,
  known: readonly KnownFirmware[],
): KnownFirmware | undefined {
  return known.find(({ firmware }) => {
    const isComparable = pinnedBanks(firmware).some(([bank]) => measurements.pcrs[bank] !== undefined);
    return isComparable && compareWithPin(measurements, firmware).length === 0;
  });
}

/** Compares what both have: see {@link judgeBanks} for what is missing. */
function compareWithPin(measurements: Measurements, pinned: PinnedFirmware): Difference[] {
  const accepted = new Set(pinned.accepted);
  const handOver = judgeHandOver(measurements.events, accepted);
  // What came in later has changed the values, too: that the firmware has changed would be the wrong advice.
  if (handOver.length > 0) return handOver;
  const shared = pinnedBanks(pinned).filter(([bank]) => measurements.pcrs[bank] !== undefined);
  return shared.flatMap(([bank, values]) => {
    const changed = FIRMWARE_PCRS.flatMap((pcr): Difference[] => {
      const [expected, found] = [values[pcr], valueWithout(bank, pcr, measurements, accepted)];
      if (found === expected) return [];
      const what = `PCR ${pcr}, firmware changed since enrolment: ${MEANINGS[pcr]}`;
      const advice = "if you have changed it: ashlar prove --enrol-again";
      return [{ code: "firmware-pin", subject: String(pcr), what, expected, found: `${found} (${advice})` }];
    });
    return changed.concat(judgeFirmwarePrograms(bank, measurements.events, values, accepted));
  });
}

/** A program that was not there at enrolment; one that is no longer there changes nothing for the worse. */
function judgeFirmwarePrograms(
  bank: PcrBank,
  events: Measurements["events"],
  { programs = [] }: FirmwareValues,
  accepted: ReadonlySet<string>,
): Difference[] {
  const known = new Set(programs);
  const unknown = firmwarePrograms(events)
    .filter(({ digest }) => !accepted.has(digest))
    .flatMap(({ banks }) => banks[bank] ?? [])
    .filter((digest) => !known.has(digest));
  return [...new Set(unknown)].slice(0, MAX_LATER).map((digest) => ({
    code: "firmware-program",
    subject: String(PROGRAMS_PCR),
    what: "PCR 4, the firmware started a program that it did not at enrolment",
    expected: programs.length === 0 ? "none" : `only Authenticode ${programs.slice(0, MAX_LATER).join(", ")}`,
    found: `Authenticode ${shownDigest(digest)} (${HOW_TO_ACCEPT})`,
  }));
}

/** What of a machine's firmware was remembered or accepted, since whoever trusts the node should know of it. */
export function noteFirmware(
  measurements: Measurements,
  pinned: PinnedFirmware,
  known: readonly KnownFirmware[],
): string[] {
  const { events } = measurements;
  const hasChanged = known.length > 0 && compareWithPin(measurements, pinned).length > 0;
  const other = hasChanged ? findKnownFirmware(measurements, known) : undefined;
  const accepted = new Set([...(pinned.accepted ?? []), ...(other?.firmware.accepted ?? [])]);
  const programs = [...new Set(firmwarePrograms(events).map(({ digest }) => digest))].slice(0, MAX_LATER);
  const later = FIRMWARE_PCRS.flatMap((pcr) => findHandOver(pcr, events.get(pcr) ?? [])?.after ?? []);
  const seen = [...new Set(later.map(({ digest }) => digest))].filter((digest) => accepted.has(digest));
  return [
    ...(other === undefined ? [] : [`firmware changed since enrolment to one that is known to be good: ${other.name}`]),
    ...programs.map((digest) => `the firmware starts a program of its own, Authenticode ${shownDigest(digest)}`),
    ...seen.slice(0, MAX_LATER).map((digest) => `accepted after the firmware handed over: ${shownDigest(digest)}`),
  ];
}
