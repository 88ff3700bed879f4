/** What a shell reports for a program that SIGPIPE has ended: 128 and the signal's number. Node.js ignores that signal. */
const CLOSED_PIPE_STATUS = 141;

/**
 * Ends this process quietly once nobody reads its output any more, as after `ashlar lab list | head -1`. Work that undoes
 * what it has begun when it is interrupted does so first.
 */
export function endWithReader(): void {
  let hasEnded = false;
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE") throw error;
    if (hasEnded) return;
    hasEnded = true;
    process.once("exit", () => (process.exitCode = CLOSED_PIPE_STATUS));
    if (!process.emit("SIGTERM", "SIGTERM")) process.exit();
  };
  process.stdout.on("error", onError);
  process.stderr.on("error", onError);
}
