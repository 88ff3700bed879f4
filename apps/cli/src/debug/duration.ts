import { AshlarError } from "@ashlar/base";
import { MAX_DEBUG_SECONDS } from "@ashlar/protocol";

/** "1h30m", "20m" or "90s" in seconds. */
export function parseDuration(text: string): number {
  const { hours = "0", minutes = "0", seconds = "0" } = DURATION.exec(text)?.groups ?? {};
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (total > 0 && total <= MAX_DEBUG_SECONDS) return total;
  throw new AshlarError(
    "usage",
    `expected a time of at most ${MAX_DEBUG_SECONDS / 3600} hours after --for, found ${text}`,
    {
      hint: "for example 1h, 20m or 1h30m",
    },
  );
}

const DURATION = /^(?:(?<hours>\d{1,6})h)?(?:(?<minutes>\d{1,6})m)?(?:(?<seconds>\d{1,6})s)?$/u;
