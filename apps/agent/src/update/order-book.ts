import { AshlarError, canonicalJson, type Json } from "@ashlar/base";
import { type Activity, IDLE } from "./update-status.ts";

/** What an order is told to do its work with. */
export type OrderContext = {
  readonly report: (activity: Partial<Activity>) => void;
  readonly signal: AbortSignal;
};

/** What is told to whoever keeps account. None of it may throw. */
export type OrderEvents = {
  readonly onBegin: () => Promise<void>;
  /** With what an order failed with, or with undefined. */
  readonly onEnd: (error: unknown) => Promise<void>;
};

/** Carries out one order at a time. */
export class OrderBook {
  readonly #events: OrderEvents;
  readonly #interruption = new AbortController();
  #current: { readonly key: string; readonly name: string; readonly done: Promise<void> } | undefined;
  #activity: Activity = IDLE;

  constructor(events: OrderEvents) {
    this.#events = events;
  }

  get activity(): Activity {
    return this.#activity;
  }

  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  /**
   * Begins an order; the same one that is being carried out already is not begun again.
   *
   * @throws AshlarError `conflict` while another is being carried out
   */
  begin(name: string, order: Json, work: (context: OrderContext) => Promise<void>): void {
    const key = canonicalJson([name, order]);
    if (this.#current?.key === key) return;
    if (this.#current !== undefined) {
      throw new AshlarError("conflict", `expected no other order at the same time, found: ${this.#current.name}`, {
        hint: "follow it with `ashlar agent status`, and ask again when it has ended",
      });
    }
    // Whoever asks from now on sees that something is being done.
    this.#activity = { ...IDLE, phase: "checking" };
    this.#current = { key, name: `${name} ${JSON.stringify(order)}`, done: this.#carryOut(work) };
  }

  /** Asks the order to stop where it is; what it has done can be continued. Resolves when it has stopped. */
  async stop(): Promise<void> {
    this.#interruption.abort();
    await this.#current?.done;
  }

  async #carryOut(work: (context: OrderContext) => Promise<void>): Promise<void> {
    const report = (activity: Partial<Activity>): void => {
      this.#activity = { ...this.#activity, ...activity };
    };
    try {
      await this.#events.onBegin();
      await work({ report, signal: this.#interruption.signal });
      await this.#events.onEnd(undefined);
    } catch (error) {
      await this.#events.onEnd(error);
    } finally {
      this.#current = undefined;
      this.#activity = IDLE;
    }
  }
}
