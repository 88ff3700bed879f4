/** For each log: far more than a machine writes (the vectors' logs have about 50 events in 8 KiB; GRUB adds hundreds). */
export const MAX_LOG_BYTES: number = 1024 * 1024;
export const MAX_LOG_EVENTS = 8192;

/** A PC Client TPM has PCRs 0 to 23. */
export const MAX_PCR = 23;
