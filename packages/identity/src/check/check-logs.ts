import {
  parseFirmwareLog,
  parseUserspaceLog,
  replayPcrs,
  sha256,
  type EventDigests,
  type FirmwareLog,
  type UserspaceLog,
} from "@ashlar/formats";
import { QUOTED_PCRS } from "@ashlar/protocol";
import { attempt, type Difference } from "./difference.ts";
import type { Evidence } from "@ashlar/protocol/answers";

/** One extension of a PCR, proved by the quote through the replay: its digest and its place in the order. */
export type MeasuredEvent = {
  readonly source: "firmware" | "userspace";
  /** SHA-256 in hexadecimal. */
  readonly digest: string;
  /** The word whose hash the digest is; proved like the digest. Undefined for anything else. */
  readonly word: string | undefined;
  /** The firmware's data whose hash the digest is; proved like the digest. Undefined for anything else. */
  readonly data: Uint8Array | undefined;
};

/** What was measured into PCRs 0 to 15, in order. Only made when quote and logs agree. */
export type Measurements = {
  /** Values in hexadecimal. */
  readonly pcrs: ReadonlyMap<number, string>;
  readonly events: ReadonlyMap<number, readonly MeasuredEvent[]>;
};

/** The kernel's IMA extends PCR 10 and logs elsewhere. */
const UNLOGGED_PCR = 10;

/** Both logs replayed: they must lead to every quoted PCR value. Types and texts in them are never looked at here. */
export function checkLogs(evidence: Evidence, differences: Difference[]): Measurements | undefined {
  const firmware = attempt(differences, "event-log", "firmware event log", "a TCG event log", () =>
    parseFirmwareLog(evidence.firmwareLog),
  );
  const userspace = attempt(differences, "event-log", "userspace event log", "systemd's measurement log", () =>
    parseUserspaceLog(evidence.userspaceLog),
  );
  if (firmware === undefined || userspace === undefined) return undefined;
  const replayed = attempt(differences, "event-log", "event logs", "a SHA-256 digest for each event", () =>
    replayPcrs(firmware, userspace, "sha256"),
  );
  if (replayed === undefined || !checkReplay(replayed, evidence.pcrs, differences)) return undefined;
  return { pcrs: evidence.pcrs, events: eventsByPcr(firmware, userspace) };
}

/** Only what a quote proves of the logs, once they have been replayed. */
export function eventsByPcr(firmware: FirmwareLog, userspace: UserspaceLog): Measurements["events"] {
  const events = new Map(QUOTED_PCRS.map((pcr) => [pcr, [] as MeasuredEvent[]]));
  for (const { pcr, digests, data } of firmware.events) {
    const digest = sha256Of(digests);
    const proved = sha256(data) === digest ? data : undefined;
    events.get(pcr)?.push({ source: "firmware", digest, word: undefined, data: proved });
  }
  for (const { pcr, digests, word } of userspace.events) {
    events.get(pcr)?.push({ source: "userspace", digest: sha256Of(digests), word, data: undefined });
  }
  return events;
}

function checkReplay(
  replayed: ReadonlyMap<number, Uint8Array>,
  quoted: ReadonlyMap<number, string>,
  differences: Difference[],
): boolean {
  const before = differences.length;
  for (const pcr of QUOTED_PCRS) {
    if (pcr === UNLOGGED_PCR) continue;
    const fromTpm = quoted.get(pcr) ?? "no value";
    const fromLogs = Buffer.from(replayed.get(pcr) ?? []).toString("hex");
    if (fromLogs === fromTpm) continue;
    differences.push({
      code: "log-replay",
      subject: String(pcr),
      what: `PCR ${pcr}, replay of the event logs`,
      expected: `${fromTpm}, quoted by the TPM`,
      found: `${fromLogs} from the logs`,
    });
  }
  return differences.length === before;
}

function sha256Of(digests: EventDigests): string {
  return Buffer.from(digests.sha256 ?? []).toString("hex");
}
