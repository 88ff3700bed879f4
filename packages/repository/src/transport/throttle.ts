import { setTimeout as sleep } from "node:timers/promises";

/** Waits until so many more bytes may be received. */
export type Throttle = (bytes: number) => Promise<void>;

/** Shared by all connections. Without a limit nothing waits. */
export function createThrottle(maxBytesPerSecond: number | undefined): Throttle {
  if (maxBytesPerSecond === undefined) return async () => undefined;
  let freeAtMs = performance.now();
  return async (bytes) => {
    freeAtMs = Math.max(freeAtMs, performance.now()) + (bytes / maxBytesPerSecond) * 1000;
    const waitMs = freeAtMs - performance.now();
    if (waitMs > 1) await sleep(waitMs);
  };
}
