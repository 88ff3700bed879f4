/** Runs work one after the other: a TPM does one thing at a time. */
export class SerialQueue {
  readonly #limit: number;
  #length = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** `limit`: how much work may wait or run. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#length >= this.#limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#length += 1;
    const result = this.#last.then(work);
    // What follows waits for the end of this work, whichever it is; its failure belongs to the caller alone.
    this.#last = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      this.#length -= 1;
    }
  }
}
