import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";
import { messageOf } from "@ashlar/base";
import type { HealthCheck } from "@ashlar/protocol";

/** Throws what is wrong, in words for a person. It must end soon after the signal. */
export type Check = { readonly name: string; readonly run: (signal: AbortSignal) => Promise<void> };

const MAX_MESSAGE_CHARACTERS = 2000;

/** Runs one check; one that has not ended after `limitMs` has failed. */
export async function runCheck({ name, run }: Check, limitMs: number): Promise<HealthCheck> {
  const started = performance.now();
  const interruption = new AbortController();
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    interruption.abort();
    // The check may know more: what it was waiting for, or what it printed last.
    setTimeout(() => late.resolve(""), GRACE_MS);
  }, limitMs);
  const outcome = run(interruption.signal).then(
    () => undefined,
    (error: unknown) => messageOf(error),
  );
  const found = await Promise.race([outcome, late.promise]);
  clearTimeout(timer);
  const isLate = interruption.signal.aborted;
  const message = isLate ? [`no answer within ${limitMs / 1000} s`, found].filter(Boolean).join(": ") : (found ?? "");
  return {
    name,
    passed: !isLate && found === undefined,
    durationMs: Math.round(performance.now() - started),
    // The last lines say most.
    message: message.length > MAX_MESSAGE_CHARACTERS ? `…${message.slice(1 - MAX_MESSAGE_CHARACTERS)}` : message,
  };
}

const GRACE_MS = 2000;
