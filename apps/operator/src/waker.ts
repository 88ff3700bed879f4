import { setTimeout as sleep } from "node:timers/promises";

/** Many changes come together: they are looked at together. */
const GATHER_MS = 200;

/** Waits for the next reason to look. */
export class Waker {
  #woken: PromiseWithResolvers<void> = Promise.withResolvers();

  /** Also while nobody waits: then the next wait is short. */
  wake(): void {
    this.#woken.resolve();
  }

  async wait(withinMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const pause = async (ms: number): Promise<void> =>
      await sleep(ms, undefined, { signal: either }).catch(() => undefined);
    await Promise.race([this.#woken.promise, pause(Math.max(withinMs, 0))]);
    await pause(GATHER_MS);
    over.abort();
    this.#woken = Promise.withResolvers();
  }
}
