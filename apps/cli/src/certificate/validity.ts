import { AshlarError } from "@ashlar/base";

const SECONDS = { d: 86_400, h: 3600, m: 60 } as const;
/** What was proved a year ago says nothing about today. */
const MAX_SECONDS = 366 * SECONDS.d;

/** "24h", "7d" or "90m" in milliseconds. */
export function parseValidity(text: string): number {
  const { number = "0", unit = "m" } = /^(?<number>\d{1,6})(?<unit>[dhm])$/u.exec(text)?.groups ?? {};
  const seconds = Number(number) * (unit === "d" ? SECONDS.d : unit === "h" ? SECONDS.h : SECONDS.m);
  if (seconds > 0 && seconds <= MAX_SECONDS) return seconds * 1000;
  throw new AshlarError("usage", `expected a time of at most 366d after --valid-for, found ${text}`, {
    hint: "for example 24h, 7d or 90m",
  });
}

/** A moment, as RFC 3339 has it. */
export function parseMoment(text: string): number {
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/u.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isFinite(moment)) return moment;
  throw new AshlarError("usage", `expected a time such as 2026-01-31T12:00:00Z after --at, found ${text}`);
}
