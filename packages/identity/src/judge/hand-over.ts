import { CALLING_APPLICATION, RETURNING_FROM_APPLICATION, SEPARATORS } from "@ashlar/formats";
import type { MeasuredEvent } from "../check/check-logs.ts";

/** The PCRs that firmware ends with a separator before it calls the first boot option, and on which the verdict rests (PFP, 3.3.4). */
export const FIRMWARE_PCRS = [0, 2, 3, 7] as const;
export type FirmwarePcr = (typeof FIRMWARE_PCRS)[number];

/** The PCR of programs: the firmware's own come before its separator, boot options after it. */
export const PROGRAMS_PCR = 4;

/** What an operator can do about something that is the firmware's own. */
export const HOW_TO_ACCEPT = "if it is the firmware's own: ashlar prove --accept-firmware";

/** The events of one PCR before and after the separator by which firmware hands over. */
export type HandOver = { readonly before: readonly MeasuredEvent[]; readonly after: readonly MeasuredEvent[] };

/**
 * Finds where firmware handed over. Any four zero bytes have a separator's digest: PCRs 0 and 3 hold firmware and settings,
 * which may be just that, so that their last one counts. Programs come into PCRs 2 and 4, and one that was started after the
 * hand-over could extend a separator to look earlier: there, and among the settings of Secure Boot, the first one counts.
 *
 * @returns undefined when there is no separator
 */
export function findHandOver(
  pcr: FirmwarePcr | typeof PROGRAMS_PCR,
  events: readonly MeasuredEvent[],
): HandOver | undefined {
  const isSeparator = ({ digest }: MeasuredEvent): boolean => SEPARATORS.has(digest);
  const at = pcr === 0 || pcr === 3 ? events.findLastIndex(isSeparator) : events.findIndex(isSeparator);
  return at === -1 ? undefined : { before: events.slice(0, at), after: events.slice(at + 1) };
}

/** Told by their digests, whatever the log has for their data. */
const BOOT_OPTION_ACTIONS: ReadonlyMap<string, string> = new Map([
  [CALLING_APPLICATION, "the action that calls a boot option"],
  [RETURNING_FROM_APPLICATION, "the action after a boot option has returned"],
]);

const MAX_ACTION_BYTES = 256;
const ACTION = /^[\x20-\x7e]+\0?$/u;

/**
 * What an event of PCR 4 is when it is no program: a separator, or an action such as "Calling EFI Application from Boot Option"
 * (PFP, 10.4.4). A program's digest is one over a PE image, and no text is one: any text is an action.
 */
export function firmwareStep({ digest, data }: MeasuredEvent): string | undefined {
  if (SEPARATORS.has(digest)) return "a separator";
  const action = BOOT_OPTION_ACTIONS.get(digest);
  if (action !== undefined || data === undefined || data.length === 0 || data.length > MAX_ACTION_BYTES) return action;
  const text = Buffer.from(data).toString("latin1");
  return ACTION.test(text) ? `the action "${text.replace("\0", "")}"` : undefined;
}

/** The programs among events of PCR 4, in order. */
export function programsAmong(events: readonly MeasuredEvent[]): MeasuredEvent[] {
  return events.filter((event) => firmwareStep(event) === undefined);
}
