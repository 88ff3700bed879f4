import type { Level } from "@ashlar/identity";

/** The exit status that a level stands for, of a node or a fleet. */
export const VERDICT_STATUS: Readonly<Record<Level, number>> = { proven: 0, mismatch: 1, unknown: 2, reported: 2 };
