import type { Goal } from "./turn.ts";

/** For tests: an update to 1.1.0. */
export const TEST_GOAL: Goal = {
  target: "1.1.0",
  order: "update",
  reboot: true,
  allowDowngrade: false,
  retry: false,
  bootTimeoutMs: 5000,
};
