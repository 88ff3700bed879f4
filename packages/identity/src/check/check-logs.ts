import {
  hexDigest,
  parseFirmwareLog,
  parseUserspaceLog,
  replayPcrs,
  type EventDigests,
  type FirmwareLog,
  type UserspaceLog,
} from "@ashlar/formats";
import { PCR_BANKS, QUOTED_PCRS, type PcrBank } from "@ashlar/protocol";
import { attempt, type Difference } from "./difference.ts";
import type { BankValues, Evidence } from "@ashlar/protocol/answers";
import { COMMON_DIGESTS, judgedDigest, type BankDigests, type KnownDigests } from "./known-digests.ts";

/** One extension of a PCR, proved by the quote through the replay: its digest and its place in the order. */
export type MeasuredEvent = {
  readonly source: "firmware" | "userspace";
  /** What rules call it, in hexadecimal: see `judgedDigest`. */
  readonly digest: string;
  /** What it has extended. */
  readonly banks: BankDigests;
  /** The word whose hash the digest is; proved like the digest. Undefined for anything else. */
  readonly word: string | undefined;
  /** The firmware's data whose hash the digest is; proved like the digest. Undefined for anything else. */
  readonly data: Uint8Array | undefined;
};

/** What was measured into PCRs 0 to 15, in order. Only made when quote and logs agree. */
export type Measurements = {
  readonly pcrs: BankValues;
  readonly events: ReadonlyMap<number, readonly MeasuredEvent[]>;
};

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
): Measurements | undefined {
  const firmware = attempt(differences, "event-log", "firmware event log", "a TCG event log", () =>
    parseFirmwareLog(evidence.firmwareLog),
  );
  const userspace = attempt(differences, "event-log", "userspace event log", "systemd's measurement log", () =>
    parseUserspaceLog(evidence.userspaceLog),
  );
  if (firmware === undefined || userspace === undefined) return undefined;
  const before = differences.length;
  const banks = quotedBanks(evidence.pcrs);
  for (const bank of banks) checkBank(bank, firmware, userspace, evidence.pcrs, differences);
  if (banks.length === 0 || differences.length > before) return undefined;
  return { pcrs: evidence.pcrs, events: eventsByPcr(firmware, userspace, banks, known) };
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
  for (const { pcr, digests, word } of userspace.events) {
    const inBanks = digestsIn(digests, banks);
    const digest = judgedDigest(inBanks, known);
    events.get(pcr)?.push({ source: "userspace", digest, banks: inBanks, word, data: undefined });
  }
  return events;
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
  firmware: FirmwareLog,
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
  const replayed = attempt(differences, "event-log", "event logs", expected, () =>
    replayPcrs(firmware, userspace, bank),
  );
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
