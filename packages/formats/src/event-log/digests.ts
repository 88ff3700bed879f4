import type { HashName } from "../tpm/hash-algorithm.ts";

/** An event's digest for each bank that it was extended into and whose hash Ashlar can compute. */
export type EventDigests = { readonly [Name in HashName]?: Uint8Array };

/** Both logs: far more than any machine writes (a PC about 100 events in 64 KiB, GRUB some 1,000). */
export const MAX_LOG_BYTES: number = 1024 * 1024;
export const MAX_LOG_EVENTS = 8192;

/** A PC Client TPM has PCRs 0 to 23. */
export const MAX_PCR = 23;
