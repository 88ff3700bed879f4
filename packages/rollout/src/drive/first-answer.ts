import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";

/** What an answer may take. A node under emulation takes seconds to start its agent. */
export const ANSWER_MS = 30_000;

export type AnswerTiming = {
  /** How often to ask anew while earlier questions still wait. */
  readonly everyMs: number;
  /** How long each question may wait. */
  readonly eachMs: number;
  readonly allMs: number;
};

/**
 * Asks again and again until there is an answer: a machine that restarts swallows what came too early, and forwarders
 * hold it back. Undefined when there was none in time.
 *
 * @throws AshlarError from `ask`, but for `unavailable`
 */
export async function firstAnswer<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { everyMs, eachMs, allMs }: AnswerTiming,
  signal: AbortSignal,
): Promise<T | undefined> {
  const ending = new AbortController();
  const over = AbortSignal.any([ending.signal, AbortSignal.timeout(allMs), signal]);
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  const once = async (): Promise<void> => {
    try {
      resolve(await ask(AbortSignal.any([over, AbortSignal.timeout(eachMs)])));
    } catch (error) {
      const isSilence = error instanceof AshlarError && (error.code === "unavailable" || error.code === "interrupted");
      if (!isSilence) reject(error);
    }
  };
  const repeat = async (): Promise<void> => {
    while (!over.aborted) {
      void once();
      await sleep(everyMs, undefined, { signal: over }).catch(() => undefined);
    }
    resolve(undefined);
  };
  void repeat();
  try {
    return await promise;
  } finally {
    ending.abort();
  }
}
