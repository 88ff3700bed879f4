import {
  extendPcrs,
  firmwarePcrs,
  hexDigest,
  parseUserspaceLog,
  type EventDigests,
  type FirmwareLog,
  type UserspaceLog,
} from "@ashlar/formats";
import { PCR_BANKS, QUOTED_PCRS, type PcrBank } from "@ashlar/protocol";
import { attempt, type Difference } from "./difference.ts";
import type { BankValues, Evidence } from "@ashlar/protocol/answers";
import { KnownReadings, type KnownFirmwareLog } from "./known-readings.ts";
import type { MeasuredEvent, Measurements } from "./measurements.ts";
import { COMMON_DIGESTS, judgedDigest, type BankDigests, type KnownDigests } from "./known-digests.ts";

export type { MeasuredEvent, Measurements } from "./measurements.ts";

/** The kernel's IMA extends PCR 10 and logs elsewhere. */
const UNLOGGED_PCR = 10;

/**
 * Both logs replayed: they must lead to every quoted PCR value, in each bank. Types and texts in them are never looked at here.
 *
 * @param known what an event must be in the other bank, when it is this in one
 */
export function checkLogs(
  evidence: Evidence,
  differences: Difference[],
  known: KnownDigests = COMMON_DIGESTS,
  readings: KnownReadings = new KnownReadings(),
): Measurements | undefined {
  const firmware = attempt(differences, "event-log", "firmware event log", "a TCG event log", () =>
    readings.firmwareLog(evidence.firmwareLog),
  );
  const userspace = attempt(differences, "event-log", "userspace event log", "systemd's measurement log", () =>
    parseUserspaceLog(evidence.userspaceLog, readings.records),
  );
  if (firmware === undefined || userspace === undefined) return undefined;
  const before = differences.length;
  const banks = quotedBanks(evidence.pcrs);
  for (const bank of banks) checkBank(bank, firmware, userspace, evidence.pcrs, differences);
  if (banks.length === 0 || differences.length > before) return undefined;
  if (banks.includes("sha384")) return { pcrs: evidence.pcrs, events: eventsByPcr(firmware, userspace, banks, known) };
  firmware.measured ??= eventsByPcr(firmware, NO_EVENTS);
  return { pcrs: evidence.pcrs, events: withUserspace(firmware.measured, userspace, banks, known) };
}

/** In the order in which a quote has them. */
export function quotedBanks(values: BankValues): PcrBank[] {
  return PCR_BANKS.filter((bank) => values[bank] !== undefined);
}

/** Only what a quote proves of the logs, once they have been replayed. */
export function eventsByPcr(
  firmware: Pick<FirmwareLog, "events">,
  userspace: UserspaceLog,
  banks: readonly PcrBank[] = ["sha256"],
  known: KnownDigests = COMMON_DIGESTS,
): Measurements["events"] {
  const events = new Map(QUOTED_PCRS.map((pcr) => [pcr, [] as MeasuredEvent[]]));
  for (const { pcr, digests, data } of firmware.events) {
    events.get(pcr)?.push(firmwareEvent(digests, data, banks, known));
  }
  return withUserspace(events, userspace, banks, known);
}

const NO_EVENTS: UserspaceLog = { events: [] };

function withUserspace(
  measured: Measurements["events"],
  userspace: UserspaceLog,
  banks: readonly PcrBank[],
  known: KnownDigests,
): Measurements["events"] {
  if (userspace.events.length === 0) return measured;
  const later = Map.groupBy(userspace.events, ({ pcr }) => pcr);
  return new Map(
    [...measured].map(([pcr, events]) => {
      const more = later.get(pcr)?.map(({ digests, word }): MeasuredEvent => {
        const inBanks = digestsIn(digests, banks);
        return { source: "userspace", digest: judgedDigest(inBanks, known), banks: inBanks, word, data: undefined };
      });
      return [pcr, more === undefined ? events : [...events, ...more]];
    }),
  );
}

/** An event of the firmware's log; its data count only when they are what every bank has a digest of. */
export function firmwareEvent(
  digests: EventDigests,
  data: Uint8Array,
  banks: readonly PcrBank[],
  known: KnownDigests = COMMON_DIGESTS,
): MeasuredEvent {
  const inBanks = digestsIn(digests, banks);
  const isProved = banks.every((bank) => inBanks[bank] === hexDigest(bank, data));
  const digest = judgedDigest(inBanks, known);
  return { source: "firmware", digest, banks: inBanks, word: undefined, data: isProved ? data : undefined };
}

function digestsIn(digests: EventDigests, banks: readonly PcrBank[]): BankDigests {
  const found: { [Bank in PcrBank]?: string } = {};
  for (const bank of banks) {
    const digest = digests[bank];
    if (digest !== undefined) found[bank] = Buffer.from(digest).toString("hex");
  }
  return found;
}

function checkBank(
  bank: PcrBank,
  firmware: KnownFirmwareLog,
  userspace: UserspaceLog,
  quoted: BankValues,
  differences: Difference[],
): void {
  // Anybody could extend such a bank with whatever looks right: it says nothing about how the machine has started.
  if (firmware.events.length > 0 && firmware.events.every(({ digests }) => digests[bank] === undefined)) {
    differences.push({
      code: "pcr-bank",
      subject: bank,
      what: `PCR bank ${bank}`,
      expected: "one into which the firmware measures, or one that is switched off",
      found:
        "a bank that is switched on, and no event of the firmware in it (switch it off in the firmware's set-up, or update " +
        "the firmware)",
    });
    return;
  }
  const expected = `a ${bank === "sha256" ? "SHA-256" : "SHA-384"} digest for each event`;
  const replayed = attempt(differences, "event-log", "event logs", expected, () => {
    const fromFirmware = firmware.pcrs.get(bank) ?? firmwarePcrs(firmware, bank);
    firmware.pcrs.set(bank, fromFirmware);
    return extendPcrs(fromFirmware, userspace, bank);
  });
  if (replayed !== undefined) checkReplay(bank, replayed, quoted[bank] ?? new Map<number, string>(), differences);
}

function checkReplay(
  bank: PcrBank,
  replayed: ReadonlyMap<number, Uint8Array>,
  quoted: ReadonlyMap<number, string>,
  differences: Difference[],
): void {
  for (const pcr of QUOTED_PCRS) {
    if (pcr === UNLOGGED_PCR) continue;
    const fromTpm = quoted.get(pcr) ?? "no value";
    const fromLogs = Buffer.from(replayed.get(pcr) ?? []).toString("hex");
    if (fromLogs === fromTpm) continue;
    differences.push({
      code: "log-replay",
      subject: String(pcr),
      what: `PCR ${pcr}${bank === "sha256" ? "" : ` of bank ${bank}`}, replay of the event logs`,
      expected: `${fromTpm}, quoted by the TPM`,
      found: `${fromLogs} from the logs`,
    });
  }
}
