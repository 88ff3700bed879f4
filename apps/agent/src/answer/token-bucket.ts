/** Lets `burst` requests pass at once and then one each `refillMs`. */
export class TokenBucket {
  readonly #burst: number;
  readonly #refillMs: number;
  readonly #nowMs: () => number;
  #tokens: number;
  #countedAtMs: number;

  /** `nowMs`: a monotonic clock. */
  constructor(burst: number, refillMs: number, nowMs: () => number) {
    this.#burst = burst;
    this.#refillMs = refillMs;
    this.#nowMs = nowMs;
    this.#tokens = burst;
    this.#countedAtMs = nowMs();
  }

  /** Takes one token. Gives 0, or how many milliseconds to wait for one. */
  take(): number {
    const nowMs = this.#nowMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#countedAtMs) / this.#refillMs);
    this.#countedAtMs = nowMs;
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) * this.#refillMs);
    this.#tokens -= 1;
    return 0;
  }
}
