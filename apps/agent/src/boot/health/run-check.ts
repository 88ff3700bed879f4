import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { messageOf } from "@ashlar/base";
import type { HealthCheck } from "@ashlar/protocol";
import type { Patience } from "./patience.ts";

/** Throws what is wrong, in words for a person. It must end soon after the signal. */
export type Check = { readonly name: string; readonly run: (signal: AbortSignal) => Promise<void> };

const MAX_MESSAGE_CHARACTERS = 2000;

/** Runs one check; one that has not ended when there is no more patience has failed. */
export async function runCheck({ name, run }: Check, { late, describe }: Patience): Promise<HealthCheck> {
  const started = performance.now();
  const outcome = run(late).then(
    () => undefined,
    (error: unknown) => messageOf(error),
  );
  const found = await Promise.race([outcome, afterGrace(late)]);
  const isLate = late.aborted;
  const message = isLate ? [describe(), found].filter(Boolean).join(": ") : (found ?? "");
  return {
    name,
    passed: !isLate && found === undefined,
    durationMs: Math.round(performance.now() - started),
    // The last lines say most.
    message: message.length > MAX_MESSAGE_CHARACTERS ? `…${message.slice(1 - MAX_MESSAGE_CHARACTERS)}` : message,
  };
}

const GRACE_MS = 2000;

/** The check may know more: what it was waiting for, or what it printed last. */
async function afterGrace(late: AbortSignal): Promise<string> {
  if (!late.aborted) await new Promise((resolve) => late.addEventListener("abort", resolve, { once: true }));
  await setTimeout(GRACE_MS);
  return "";
}
