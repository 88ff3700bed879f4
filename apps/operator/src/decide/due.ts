import type { Asked, Clock } from "./facts.ts";

/** Of a silent node: so that one that comes back is seen soon. */
const FIRST_RETRY_MS = 10_000;
const MAX_DOUBLINGS = 10;

export type DueFacts = {
  readonly asked: Asked | undefined;
  /** How often in a row it has said nothing. */
  readonly silences: number;
  readonly bootId: string;
  readonly className: string;
  /** Whether it is to be held against something else than when it was asked. */
  readonly isChanged: boolean;
  readonly intervalMs: number;
};

/** In how many milliseconds a node is to be asked; 0 or less: now. */
export function dueInMs(facts: DueFacts, { monotonicMs }: Clock): number {
  const { asked, silences, bootId, className, isChanged, intervalMs } = facts;
  if (asked === undefined || asked.className !== className || isChanged) return 0;
  const sinceMs = monotonicMs - asked.monotonicMs;
  const retryMs = Math.min(intervalMs, FIRST_RETRY_MS * 2 ** Math.min(silences - 1, MAX_DOUBLINGS));
  if (silences > 0) return retryMs - sinceMs;
  return asked.bootId === bootId ? intervalMs - sinceMs : 0;
}
