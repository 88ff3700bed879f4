export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

const DAY_MS = 86_400_000;

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
  const lastDay = Math.ceil(withinMs / DAY_MS) + 1;
  for (let days = 0; days <= lastDay; days += 1) {
    const begin = beginningOn(window, today.add({ days }));
    if (begin !== undefined && begin > nowMs) return begin <= nowMs + withinMs ? begin : undefined;
  }
  return undefined;
}

function beginningOn({ days, start, timeZone }: MaintenanceWindow, date: Temporal.PlainDate): number | undefined {
  const weekday = WEEKDAYS[date.dayOfWeek - 1];
  if (weekday === undefined || !days.includes(weekday)) return undefined;
  return date.toZonedDateTime({ timeZone, plainTime: start }).epochMilliseconds;
}

/**
 * When the window ends that an instant lies in; undefined when it lies in none. A window that begins at a time which the
 * clock skips in spring begins an hour later by the clock; one that begins at a time which comes twice in autumn begins
 * with the first. However the clock changes, it is as long as it was declared to be.
 */
export function endOfWindow(window: MaintenanceWindow, nowMs: number): number | undefined {
  const now = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(window.timeZone);
  const today = now.toPlainDate();
  // A window is at most a day long: it began today or yesterday, or, where a day has 25 hours, before that.
  for (const days of [0, 1, 2]) {
    const begin = beginningOn(window, today.subtract({ days }));
    if (begin === undefined) continue;
    const end = begin + window.durationMinutes * 60_000;
    if (nowMs >= begin && nowMs < end) return end;
  }
  return undefined;
}

/** Whether an instant lies in the window: see {@link endOfWindow}. */
export function isInWindow(window: MaintenanceWindow, nowMs: number): boolean {
  return endOfWindow(window, nowMs) !== undefined;
}
