/**
 * Gives `work` a signal that is aborted when the user or the system asks us to end (Ctrl-C, SIGTERM, a closed terminal).
 * The work then undoes what it has begun; asking again changes nothing, so that nothing is left half undone.
 */
export async function withInterruption<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (): void => controller.abort();
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
