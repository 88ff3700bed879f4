import type { ProcessUsage } from "./decide/common-metrics.ts";

const MICROSECONDS = 1e6;

/** Of this process, until now. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / MICROSECONDS,
    residentBytes: process.memoryUsage.rss(),
    startedAt: performance.timeOrigin / 1000,
  };
}
