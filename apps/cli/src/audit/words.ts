import { clock } from "@ashlar/host/terminal";

/** "1 node", "2 nodes" */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** In decimal units, as `ls --si` has them. */
export function sizeText(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${step === 0 ? bytes : (bytes / 1000 ** step).toFixed(1)} ${units[step]}`;
}

/** "; about 3:07 left", as long as the nodes so far have taken; nothing at the end. */
export function timeLeft(done: number, total: number, elapsedMs: number): string {
  return done === 0 || done >= total ? "" : `; about ${clock((elapsedMs / done) * (total - done))} left`;
}
