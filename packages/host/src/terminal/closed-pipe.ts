/** What a shell reports for a program that SIGPIPE has ended: 128 and the signal's number. Node.js ignores that signal. */
const CLOSED_PIPE_STATUS = 141;

type Output = "stdout" | "stderr";

const watched = new Set<Output>();
let isWatching = false;
let hasEnded = false;

/**
 * From now on, ends this process quietly once nobody reads its output any more, as after `ashlar lab list | head -1`. Work
 * that undoes what it has begun when it is interrupted does so first.
 */
export function endWithReader(): void {
  isWatching = true;
}

/** For writing to. Making one takes Node.js up to 10 ms: a command that writes nothing to it does without. */
export function outputStream(name: Output): NodeJS.WriteStream {
  const stream = process[name];
  if (isWatching && !watched.has(name)) {
    watched.add(name);
    stream.on("error", onError);
  }
  return stream;
}

function onError(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  if (hasEnded) return;
  hasEnded = true;
  process.once("exit", () => (process.exitCode = CLOSED_PIPE_STATUS));
  if (!process.emit("SIGTERM", "SIGTERM")) process.exit();
}
