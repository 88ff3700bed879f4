import type { BenchResult } from "./bench.ts";

/** @param problems of those that did not survive; with one the value is below 1 even when each single cut was survived */
export function survivedCuts(survived: number, count: number, problems: readonly string[]): BenchResult {
  const detail = [`${survived} of ${count} power cuts survived`, ...problems].join("; ");
  return { value: problems.length === 0 ? survived / count : Math.min(survived, count - 1) / count, detail };
}
