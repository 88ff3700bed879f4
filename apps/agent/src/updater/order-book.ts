import { AshlarError, canonicalJson, type Json } from "@ashlar/base";
import type { Activity } from "./activity.ts";

/** What an order is told to do its work with. */
export type OrderContext<Doing = Activity> = {
  readonly report: (activity: Partial<Doing>) => void;
  readonly signal: AbortSignal;
};

/** What is told to whoever keeps account. None of it may throw. */
export type OrderEvents = {
  readonly onBegin: () => Promise<void>;
  /** With what an order failed with, or with undefined. */
  readonly onEnd: (error: unknown) => Promise<void>;
};

/** What is going on while nothing is, and when an order has just begun. */
export type Beginnings<Doing> = { readonly idle: Doing; readonly begun: Doing };

/** Carries out one order at a time. */
export class OrderBook<Doing = Activity> {
  readonly #events: OrderEvents;
  readonly #beginnings: Beginnings<Doing>;
  readonly #interruption = new AbortController();
  #current: { readonly key: string; readonly name: string; readonly done: Promise<void> } | undefined;
  #activity: Doing;

  constructor(events: OrderEvents, beginnings: Beginnings<Doing>) {
    this.#events = events;
    this.#beginnings = beginnings;
    this.#activity = beginnings.idle;
  }

  get activity(): Doing {
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
  begin(name: string, order: Json, work: (context: OrderContext<Doing>) => Promise<void>): void {
    const key = canonicalJson([name, order]);
    if (this.#current?.key === key) return;
    if (this.#current !== undefined) {
      throw new AshlarError("conflict", `another order is being carried out: ${this.#current.name}`, {
        hint: "follow it with `ashlar agent status`, and ask again when it has ended",
      });
    }
    // Whoever asks from now on sees that something is being done.
    this.#activity = this.#beginnings.begun;
    this.#current = { key, name: `${name} ${JSON.stringify(order)}`, done: this.#carryOut(work) };
  }

  /** Asks the order to stop where it is; what it has done can be continued. Resolves when it has stopped. */
  async stop(): Promise<void> {
    this.#interruption.abort();
    await this.#current?.done;
  }

  async #carryOut(work: (context: OrderContext<Doing>) => Promise<void>): Promise<void> {
    const report = (activity: Partial<Doing>): void => {
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
      this.#activity = this.#beginnings.idle;
    }
  }
}
