import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";

/**
 * How long checks are waited for. Time in which tasks stood in line for a processor or a disk does not count: on a node
 * that joins its cluster, starts its pods or is emulated, a healthy service answers late, and a release is not condemned
 * for that. What hangs forever is given up in the end, however busy the machine is.
 */
export type Patience = {
  /** Aborted when the time is over. */
  readonly late: AbortSignal;
  /** What was waited for, for people. */
  readonly describe: () => string;
};

const TICK_MS = 1000;
const MAX_FACTOR = 10;

/** Waits until `done`; @param pressure the directory of the kernel's pressure files: /proc/pressure */
export function startPatience(limitMs: number, pressure: string, done: AbortSignal): Patience {
  const late = new AbortController();
  let busyMs = 0;
  const count = async (): Promise<void> => {
    let then = { at: performance.now(), stalls: await readStalls(pressure) };
    let countedMs = 0;
    while (!done.aborted && countedMs < limitMs && countedMs + busyMs < limitMs * MAX_FACTOR) {
      // The rest of the limit, or until it is known how busy the machine was.
      await setTimeout(Math.min(TICK_MS, limitMs - countedMs), undefined, { signal: done }).catch(() => undefined);
      const now = { at: performance.now(), stalls: await readStalls(pressure) };
      const passedMs = now.at - then.at;
      // A task that waits for a disk and one that waits for a processor may wait at the same time.
      const stalledMs = Math.max(...now.stalls.map((stall, index) => stall - (then.stalls[index] ?? stall)));
      const tickBusyMs = Math.min(passedMs, Math.max(0, stalledMs));
      busyMs += tickBusyMs;
      countedMs += passedMs - tickBusyMs;
      then = now;
    }
    if (!done.aborted) late.abort();
  };
  void count();
  const describe = (): string => {
    const busy = busyMs < TICK_MS ? "" : ` and ${Math.round(busyMs / 1000)} s in which the machine was busy`;
    return `no answer within ${limitMs / 1000} s${busy}`;
  };
  return { late: late.signal, describe };
}

/**
 * For how long, since the boot, some task has waited for a processor, and for a disk (Linux, Documentation/accounting/psi.rst).
 * A kernel that does not say so is never busy.
 */
async function readStalls(pressure: string): Promise<readonly [cpuMs: number, ioMs: number]> {
  const read = async (name: string): Promise<number> => {
    const text = await readFile(join(pressure, name), "utf8").catch(() => "");
    return Number(/^some .* total=(?<microseconds>\d+)$/mu.exec(text)?.groups?.["microseconds"] ?? 0) / 1000;
  };
  return await Promise.all([read("cpu"), read("io")]);
}
