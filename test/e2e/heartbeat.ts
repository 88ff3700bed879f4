export type HeartbeatOptions = {
  /** What is happening now, in a few words. */
  readonly phase: () => string;
  readonly say: (line: string) => void;
  /** A line comes when nothing else was said for so long. */
  readonly silenceMs: number;
};

/** Shows that a long run lives. `heard` is to be called for any other output. */
export function startHeartbeat({ phase, say, silenceMs }: HeartbeatOptions): { heard: () => void; stop: () => void } {
  const startedAt = performance.now();
  const timer = setInterval(() => {
    say(`e2e: still running: ${phase()}, ${formatDuration(performance.now() - startedAt)}`);
  }, silenceMs);
  return { heard: () => timer.refresh(), stop: () => clearInterval(timer) };
}

/** For example `3m12s`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
}
