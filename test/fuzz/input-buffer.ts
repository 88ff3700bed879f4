import { MAX_INPUT_BYTES } from "./mutate.ts";

/**
 * Memory that the fuzzing thread shares with the watching one, so that an input which never ends, or ends the thread,
 * is still known.
 */
export class InputBuffer {
  readonly shared: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(HEADER_BYTES + MAX_INPUT_BYTES)) {
    this.shared = shared;
    this.#header = new Int32Array(shared, 0, 2);
    this.#bytes = new Uint8Array(shared, HEADER_BYTES);
  }

  put(iteration: number, input: Uint8Array): void {
    this.#bytes.set(input);
    Atomics.store(this.#header, 1, input.length);
    Atomics.store(this.#header, 0, iteration);
  }

  get iteration(): number {
    return Atomics.load(this.#header, 0);
  }

  get input(): Uint8Array {
    return this.#bytes.slice(0, Atomics.load(this.#header, 1));
  }
}

const HEADER_BYTES = 8;
