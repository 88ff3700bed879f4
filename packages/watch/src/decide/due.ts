import type { KnownNode } from "./known-node.ts";

/** Of a silent node: so that one that comes back is seen soon. */
const FIRST_RETRY_MS = 10_000;
const MAX_DOUBLINGS = 10;
/** How much earlier than its interval a node may be asked, so that a fleet that was asked at once does not stay in step. */
const JITTER = 0.2;

export type DueFacts = Pick<KnownNode, "name" | "askedAtMs" | "silences">;

/**
 * When a node is to be asked next, milliseconds since 1970. A clock that was set back does not keep anybody waiting for longer than
 * an interval.
 */
export function dueAtMs({ name, askedAtMs, silences }: DueFacts, nowMs: number, intervalMs: number): number {
  if (askedAtMs === undefined || askedAtMs > nowMs) return nowMs;
  const usualMs = intervalMs * (1 - JITTER * fractionOf(`${name} ${askedAtMs}`));
  const retryMs = FIRST_RETRY_MS * 2 ** Math.min(silences - 1, MAX_DOUBLINGS);
  return askedAtMs + (silences > 0 ? Math.min(usualMs, retryMs) : usualMs);
}

/** 0 to 1, the same for the same text: after a restart a node is due when it was due before (FNV-1a, 32 bits). */
function fractionOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x0100_0193);
  return (hash >>> 0) / 2 ** 32;
}
