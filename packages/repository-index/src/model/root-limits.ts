/** Of one root role: sixteen keys for each role take a tenth of it. */
export const MAX_ROOT_BYTES: number = 64 * 1024;
/** Root roles between the one that a machine trusts and the newest: one a month for 85 years. */
export const MAX_ROOTS = 1024;
