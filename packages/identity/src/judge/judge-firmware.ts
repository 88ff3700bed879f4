import type { MeasuredEvent, Measurements } from "../check/check-logs.ts";
import type { Difference } from "../check/difference.ts";
import { SEPARATOR } from "@ashlar/formats";

/**
 * PCR values of a node's firmware as they were at enrolment, in hexadecimal: what honest reboots do not change. PCR 1
 * holds boot entries, 5 the partition table; both change when nothing is wrong.
 */
export type PinnedFirmware = Readonly<Record<"0" | "2" | "3" | "7", string>>;

export function firmwareOf(pcrs: ReadonlyMap<number, string>): PinnedFirmware {
  const value = (pcr: number): string => pcrs.get(pcr) ?? "no value";
  return { "0": value(0), "2": value(2), "3": value(3), "7": value(7) };
}

const PINNED_PCRS: readonly (readonly [keyof PinnedFirmware, string])[] = [
  ["0", "firmware"],
  ["2", "drivers and option ROMs that the firmware loads"],
  ["3", "settings of drivers"],
  ["7", "Secure Boot's settings"],
];

/** What firmware code measured, and ends with a separator before it calls the first boot option (PFP, 3.3.4 and 10.4). */
const FIRMWARE_PCRS = [0, 1, 2, 3, 6, 7] as const;

/**
 * Nothing may be measured into the firmware's PCRs after it has handed over. A driver that the boot loader finds on the
 * ESP is: into PCR 2 (PFP, 3.3.4), and it could have changed the kernel.
 */
export function judgeHandOver(events: Measurements["events"]): Difference[] {
  return FIRMWARE_PCRS.flatMap((pcr) => judgeSeparator(pcr, events.get(pcr) ?? []));
}

function judgeSeparator(pcr: (typeof FIRMWARE_PCRS)[number], events: readonly MeasuredEvent[]): Difference[] {
  const differences: Difference[] = [];
  const separators = events.filter(({ digest }) => digest === SEPARATOR).length;
  if (separators !== 1) {
    const what = `PCR ${pcr}, separators where the firmware hands over`;
    differences.push({
      code: "firmware-handover",
      subject: String(pcr),
      what,
      expected: "1",
      found: String(separators),
    });
  }
  const first = events.findIndex(({ digest }) => digest === SEPARATOR);
  const later = events
    .slice(first === -1 ? events.length : first + 1)
    .filter((event) => event.digest !== SEPARATOR && !(pcr === 7 && isDatabaseEntry(event)));
  const what =
    pcr === 2
      ? "PCR 2, a program was loaded after the firmware handed over (driver on the ESP?)"
      : `PCR ${pcr}, something was measured after the firmware handed over`;
  for (const { digest } of later.slice(0, MAX_LATER)) {
    const found = `${pcr === 2 ? "Authenticode" : "digest"} ${digest}`;
    differences.push({ code: "firmware-handover", subject: String(pcr), what, expected: "nothing", found });
  }
  return differences;
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

/** The firmware, judged: a clean hand-over, and the values that were pinned. */
export function judgeFirmware({ events, pcrs }: Measurements, pinned: PinnedFirmware): Difference[] {
  const handOver = judgeHandOver(events);
  // What came in later has changed the values, too: that the firmware has changed would be the wrong advice.
  if (handOver.length > 0) return handOver;
  const found = firmwareOf(pcrs);
  return PINNED_PCRS.flatMap(([pcr, meaning]) => {
    if (found[pcr] === pinned[pcr]) return [];
    return [
      {
        code: "firmware-pin",
        subject: pcr,
        what: `PCR ${pcr}, firmware changed since enrolment: ${meaning}`,
        expected: pinned[pcr],
        found: `${found[pcr]} (if you have changed it: ashlar prove --enrol-again)`,
      },
    ];
  });
}
