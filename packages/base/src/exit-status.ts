import type { ErrorCode } from "./error.ts";

/**
 * How a program of ours ends that did not do what it was asked to, as in sysexits.h. 0, 1 and 2 are left to answers: yes,
 * no, and not known. So a script can tell a node that was tampered with from a word that was mistyped.
 */
export const EXIT_STATUS: Readonly<Record<ErrorCode, number>> = {
  usage: 64,
  malformed: 65,
  limit: 65,
  invalid: 65,
  untrusted: 65,
  "not-found": 66,
  conflict: 69,
  unavailable: 69,
  failed: 69,
  "missing-tool": 69,
  privilege: 77,
  interrupted: 130,
};

/** Something was thrown that nobody expected. */
export const BUG_STATUS = 70;
