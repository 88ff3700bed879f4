import { AshlarError } from "@ashlar/base";

/** @throws AshlarError `interrupted` when the signal has been aborted. */
export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new AshlarError("interrupted", "interrupted");
}
