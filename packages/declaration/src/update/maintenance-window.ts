export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** A time in which a node may reboot. It begins on the given days and may reach into the next. */
export type MaintenanceWindow = {
  readonly days: readonly Weekday[];
  /** Of the clock in the time zone, for example 02:00. */
  readonly start: string;
  readonly durationMinutes: number;
  /** IANA's name, for example Europe/Prague. */
  readonly timeZone: string;
};

/** When the window begins next, if that is within so many milliseconds. */
export function nextBeginning(window: MaintenanceWindow, nowMs: number, withinMs: number): number | undefined {
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(window.timeZone).toPlainDate();
  const beginnings = [0, 1].flatMap((days) => beginningOn(window, today.add({ days })) ?? []);
  return beginnings.find((begin) => begin > nowMs && begin <= nowMs + withinMs);
}

function beginningOn({ days, start, timeZone }: MaintenanceWindow, date: Temporal.PlainDate): number | undefined {
  const weekday = WEEKDAYS[date.dayOfWeek - 1];
  if (weekday === undefined || !days.includes(weekday)) return undefined;
  return date.toZonedDateTime({ timeZone, plainTime: start }).epochMilliseconds;
}

/**
 * Whether an instant lies in the window. A window that begins at a time which the clock skips in spring begins an hour
 * later by the clock; one that begins at a time which comes twice in autumn begins with the first.
 */
export function isInWindow(window: MaintenanceWindow, nowMs: number): boolean {
  const now = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(window.timeZone);
  const today = now.toPlainDate();
  // A window is at most a day long: it began today or yesterday, or, where a day has 25 hours, before that.
  return [0, 1, 2].some((days) => {
    const begin = beginningOn(window, today.subtract({ days }));
    return begin !== undefined && nowMs >= begin && nowMs < begin + window.durationMinutes * 60_000;
  });
}
