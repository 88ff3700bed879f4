import { endOfWindow, nextBeginning, type MaintenanceWindow } from "@ashlar/declaration";
import type { FleetPolicy } from "./fleet.ts";

/** What a node's turn may take, from when something is taken from it. */
export function turnMs({ limits }: Pick<FleetPolicy, "limits">): number {
  return limits.beforeRebootMs + limits.drainMs + limits.bootMs + limits.afterRebootMs;
}

const WEEK_MS = 7 * 86_400_000;

/**
 * Whether a node's turn may begin: `closed` says why not. A turn begins only where it can also end, by its own limits: a
 * node that is drained when the window closes is one that nobody wanted to be away then.
 *
 * @param lengthMs what a turn may take
 */
export function windowAt(windows: readonly MaintenanceWindow[], lengthMs: number, nowMs: number): string | undefined {
  if (windows.length === 0) return undefined;
  const ends = windows.flatMap((window) => endOfWindow(window, nowMs) ?? []);
  if (ends.some((end) => end - nowMs >= lengthMs)) return undefined;
  const longEnough = windows.filter(({ durationMinutes }) => durationMinutes * 60_000 >= lengthMs);
  if (longEnough.length === 0) {
    return `no window is as long as a turn may take: ${Math.ceil(lengthMs / 60_000)} minutes, to drain and to restart`;
  }
  const begins = longEnough.flatMap((window) => nextBeginning(window, nowMs, WEEK_MS) ?? []);
  const next = begins.length === 0 ? "" : `, the next begins at ${timeOf(Math.min(...begins))}`;
  return ends.length === 0 ? `it is outside of the windows${next}` : `what is left of the window is too short${next}`;
}

/** Whether a node may be away now. */
export function isOpen(windows: readonly MaintenanceWindow[], nowMs: number): boolean {
  return windows.length === 0 || windows.some((window) => endOfWindow(window, nowMs) !== undefined);
}

export function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -"000Z".length - 1)}Z`;
}
