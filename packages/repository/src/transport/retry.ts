import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import type { Patience } from "./transport.ts";

/**
 * Does `work` again, later and later, while it fails with `unavailable`. Each time it has come further than before, the
 * count of attempts starts anew, so that a long transfer may be cut many times.
 *
 * @param progress a number that rises with what has been achieved
 */
export async function withRetries<T>(
  patience: Patience,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  let reached = progress();
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AshlarError) || error.code !== "unavailable") throw error;
      if (progress() > reached) attempt = 1;
      reached = progress();
      if (attempt >= patience.attempts) throw error;
      await sleep(patience.retryDelayMs * 2 ** (attempt - 1), undefined, { signal }).catch(() => {
        throw new AshlarError("interrupted", "interrupted while waiting for the server");
      });
    }
  }
}
