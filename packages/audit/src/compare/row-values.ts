/** What one node has for each key: all of it for the first node, for others what is not as there. */
export class RowValues {
  readonly #first: RowValues | undefined;
  /** The keys that are kept, rising; all of them for the first node. */
  readonly keys: Uint32Array;
  readonly #contents: Uint32Array;
  readonly #modes: Uint32Array;

  constructor(keys: number, contents: Uint32Array, modes: Uint32Array, first: RowValues | undefined) {
    this.#first = first;
    const kept: number[] = [];
    for (let key = 0; key < keys; key += 1) {
      const content = contents[key] ?? 0;
      const mode = modes[key] ?? 0;
      if (first === undefined || content !== first.content(key) || mode !== first.mode(key)) kept.push(key);
    }
    this.keys = Uint32Array.from(kept);
    this.#contents = Uint32Array.from(kept, (key) => contents[key] ?? 0);
    this.#modes = Uint32Array.from(kept, (key) => modes[key] ?? 0);
  }

  /** 0 for nothing. */
  content(key: number): number {
    if (this.#first === undefined) return this.#contents[key] ?? 0;
    const index = this.#indexOf(key);
    return index === -1 ? this.#first.content(key) : (this.#contents[index] ?? 0);
  }

  mode(key: number): number {
    if (this.#first === undefined) return this.#modes[key] ?? 0;
    const index = this.#indexOf(key);
    return index === -1 ? this.#first.mode(key) : (this.#modes[index] ?? 0);
  }

  #indexOf(key: number): number {
    let low = 0;
    let high = this.keys.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.keys[middle] ?? 0;
      if (found === key) return middle;
      if (found < key) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
