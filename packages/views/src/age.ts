import type { Level } from "@ashlar/identity";

/** Two clocks never agree entirely: what is younger than nothing by more than this is not young but wrong. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * What a level is worth by now. A verdict does not get better by lying around: old evidence proves nothing, and evidence from
 * the future has a clock that cannot be believed. A mismatch stays one until the node has proved something else.
 *
 * @param ageMs of the evidence; undefined where there is none
 */
export function levelNow(level: Level, ageMs: number | undefined, maxAgeMs: number): Level {
  if (level === "mismatch" || level === "unknown") return level;
  return isFresh(ageMs, maxAgeMs) ? level : "unknown";
}

export function isFresh(ageMs: number | undefined, maxAgeMs: number): boolean {
  return ageMs !== undefined && ageMs <= maxAgeMs && ageMs >= -CLOCK_TOLERANCE_MS;
}

/** "4 s", "3 min", "2 h", "5 d". */
export function formatAge(ageMs: number): string {
  const seconds = Math.max(0, Math.round(ageMs / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 2 * 86_400 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
