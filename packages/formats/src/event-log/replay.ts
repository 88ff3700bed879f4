import { AshlarError } from "@ashlar/base";
import { digestOf, type HashName, hashSizeBytes } from "../tpm/hash-algorithm.ts";
import type { EventDigests } from "./event-digests.ts";
import type { FirmwareLog } from "./firmware-log.ts";
import type { UserspaceLog } from "./userspace-log.ts";

/** PCRs above this one can be reset without a reboot (PC Client Platform TPM Profile): they prove no history. */
const LAST_STATIC_PCR = 15;

/**
 * The values that PCRs 0 to 15 of one bank must have if exactly these events extended them, firmware first. Events in
 * other PCRs are left out. The kernel's IMA extends PCR 10 and has its own log, so that PCR 10 rarely agrees.
 *
 * @throws AshlarError `invalid` when an event in PCRs 0 to 15 has no digest for the bank.
 */
export function replayPcrs(firmware: FirmwareLog, userspace: UserspaceLog, bank: HashName): Map<number, Uint8Array> {
  return extendPcrs(firmwarePcrs(firmware, bank), userspace, bank);
}

/** The first half of {@link replayPcrs}: what firmware alone leads to. */
export function firmwarePcrs(firmware: FirmwareLog, bank: HashName): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  for (let pcr = 0; pcr <= LAST_STATIC_PCR; pcr++) values.set(pcr, new Uint8Array(hashSizeBytes(bank)));
  values.get(0)?.set([firmware.startupLocality], hashSizeBytes(bank) - 1);
  extendAll(values, firmware.events, bank, "firmware log");
  return values;
}

/** The second half of {@link replayPcrs}: what systemd has made of these values, which stay as they are. */
export function extendPcrs(
  from: ReadonlyMap<number, Uint8Array>,
  userspace: UserspaceLog,
  bank: HashName,
): Map<number, Uint8Array> {
  const values = new Map(from);
  extendAll(values, userspace.events, bank, "userspace log");
  return values;
}

function extendAll(
  values: Map<number, Uint8Array>,
  events: readonly { readonly pcr: number; readonly digests: EventDigests }[],
  bank: HashName,
  log: string,
): void {
  const sizeBytes = hashSizeBytes(bank);
  // One place for all that is hashed: joining it anew each time would take as long as hashing it.
  const extended = new Uint8Array(2 * sizeBytes);
  for (const [index, { pcr, digests }] of events.entries()) {
    const value = values.get(pcr);
    if (value === undefined) continue;
    const digest = digests[bank];
    if (digest === undefined) {
      throw new AshlarError("invalid", `${log}: event ${index + 1} (PCR ${pcr}) has no ${bank} digest`);
    }
    extended.set(value);
    extended.set(digest, sizeBytes);
    values.set(pcr, digestOf(bank, extended));
  }
}
