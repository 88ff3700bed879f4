import { setTimeout as sleep } from "node:timers/promises";

/** What an API server has of one kind, as it is now. */
type Watched<T> = AsyncDisposable & {
  readonly items: readonly T[];
  /** Resolves when something has changed, or after `withinMs`. */
  readonly change: (withinMs: number) => Promise<void>;
};

export type Showing<T> = {
  readonly open: () => Promise<Watched<T>>;
  readonly show: (items: readonly T[]) => void;
  /** What has ended the watch. It is opened again after a pause, unless this throws. */
  readonly fail: (error: unknown) => void;
  readonly signal: AbortSignal;
};

/** How long something may go on without being looked at again. */
const LOOK_MS = 30_000;
const PAUSE_MS = 15_000;

/** Shows what is watched as it changes, until the signal ends it. */
export async function showWatched<T>({ open, show, fail, signal }: Showing<T>): Promise<void> {
  while (!signal.aborted) {
    try {
      await using watched = await open();
      while (!signal.aborted) {
        show(watched.items);
        await watched.change(LOOK_MS);
      }
    } catch (error) {
      if (signal.aborted) return;
      fail(error);
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
