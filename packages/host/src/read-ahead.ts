/**
 * Reads one item after the other, the next already while the caller works on what the last one gave.
 *
 * @param read `turn` is 0 or 1: two reads at a time never have the same, so that each can have a buffer of its own
 */
export async function* readAhead<Item, Result>(
  items: Iterable<Item>,
  read: (item: Item, turn: 0 | 1) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  let turn: 0 | 1 = 0;
  let pending: Promise<Result> | undefined;
  try {
    for (const item of items) {
      const next = read(item, turn);
      // Whoever stops early does not wait for it; who waits gets the error from the promise itself.
      next.catch(() => undefined);
      const current = pending;
      pending = next;
      turn = turn === 0 ? 1 : 0;
      if (current !== undefined) yield await current;
    }
    const last = pending;
    pending = undefined;
    if (last !== undefined) yield await last;
  } finally {
    await pending?.catch(() => undefined);
  }
}
