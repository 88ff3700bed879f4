import { describeFirmwareEvent, firmwareEventTypeName, parseFirmwareLog } from "@ashlar/formats";
import { FIRMWARE_PCRS, findHandOver, firmwareStep, PROGRAMS_PCR } from "./judge/hand-over.ts";
import { firmwareEvent, type MeasuredEvent } from "./check/check-logs.ts";
import { lateEvents, type PinnedFirmware } from "./judge/judge-firmware.ts";

/**
 * How an event of the firmware's log counts:
 * - `pinned`: remembered at enrolment; another value later is a mismatch
 * - `judged`: compared with the release that is declared
 * - `accepted`: the operator has accepted exactly this digest
 * - `refused`: it is there where only an accepted digest may be
 * - `free`: nothing rests on it
 */
export type FirmwareRole = "pinned" | "judged" | "accepted" | "refused" | "free";

export type ExplainedEvent = {
  readonly pcr: number;
  /** The type that the log says; nothing proves it. */
  readonly type: string;
  /** SHA-256 in hexadecimal; SHA-384 where the log has no SHA-256 and none is known to belong to it; empty when it has neither. */
  readonly digest: string;
  readonly role: FirmwareRole;
  /** What it says about itself. */
  readonly what: string;
  /** Whether `what` is proved: the digest is over the data that say so. */
  readonly isProved: boolean;
};

/**
 * Explains a machine's firmware log event by event.
 *
 * @param pinned what was remembered at enrolment; undefined before one
 * @throws AshlarError as `parseFirmwareLog`
 */
export function explainFirmware(log: Uint8Array, pinned?: PinnedFirmware): ExplainedEvent[] {
  const { events } = parseFirmwareLog(log);
  const hasSha256 = events.some(({ digests }) => digests.sha256 !== undefined);
  const measured = events.map(({ pcr, type, digests, data }) => {
    const event = firmwareEvent(digests, data, [hasSha256 ? "sha256" : "sha384"]);
    const isProved = event.data !== undefined;
    return { pcr, event, isProved, type: firmwareEventTypeName(type), what: describeFirmwareEvent({ type, data }) };
  });
  const roles = new Map<MeasuredEvent, FirmwareRole>();
  const eventsOf = (pcr: number): MeasuredEvent[] =>
    measured.filter((each) => each.pcr === pcr).map(({ event }) => event);
  for (const pcr of FIRMWARE_PCRS) setFirmwareRoles(roles, pcr, eventsOf(pcr), pinned);
  setProgramRoles(roles, eventsOf(PROGRAMS_PCR), pinned);
  return measured.map(({ pcr, event, isProved, type, what }) => {
    const role = roles.get(event) ?? (JUDGED_PCRS.has(pcr) ? "judged" : "free");
    return { pcr, type, digest: event.digest, role, what, isProved };
  });
}

/** Beside those of firmware and programs: sections of the UKI, and what must be zeros, a configuration or a machine's name. */
const JUDGED_PCRS: ReadonlySet<number> = new Set([8, 11, 12, 13, 14, 15]);

function setFirmwareRoles(
  roles: Map<MeasuredEvent, FirmwareRole>,
  pcr: (typeof FIRMWARE_PCRS)[number],
  events: readonly MeasuredEvent[],
  pinned: PinnedFirmware | undefined,
): void {
  for (const event of events) roles.set(event, "pinned");
  const handOver = findHandOver(pcr, events);
  for (const event of handOver === undefined ? [] : lateEvents(pcr, handOver)) {
    roles.set(event, pinned?.accepted?.includes(event.digest) ? "accepted" : "refused");
  }
}

function setProgramRoles(
  roles: Map<MeasuredEvent, FirmwareRole>,
  events: readonly MeasuredEvent[],
  pinned: PinnedFirmware | undefined,
): void {
  const handOver = findHandOver(PROGRAMS_PCR, events);
  const accepted = new Set(pinned?.accepted);
  for (const event of events) roles.set(event, firmwareStep(event) === undefined ? "judged" : "free");
  for (const event of handOver?.before ?? []) {
    if (firmwareStep(event) !== undefined) continue;
    const isKnown = pinned === undefined || pinned.programs?.includes(event.digest) === true;
    roles.set(event, isKnown ? "pinned" : accepted.has(event.digest) ? "accepted" : "refused");
  }
  for (const event of handOver?.after ?? []) if (accepted.has(event.digest)) roles.set(event, "accepted");
}
