import { firstOf } from "@ashlar/base";

const EVERY_MS = 20_000;
const NAMED = 3;

/** Says again and again of whom there is no answer yet, until it is disposed. */
export function reportWaiting(asked: ReadonlySet<string>, report: (line: string) => void): Disposable {
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += EVERY_MS / 1000;
    if (asked.size > 0) report(`still waiting for ${firstOf([...asked], NAMED)} (${seconds} s)`);
  }, EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: (): void => clearInterval(timer) };
}
