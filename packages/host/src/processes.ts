import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** A process of this machine. The start time tells it from a later process with the same id. */
export type FoundProcess = {
  readonly pid: number;
  /** Clock ticks since boot, as in field 22 of /proc/PID/stat (proc(5)). */
  readonly startTicks: number;
  readonly argv: readonly string[];
};

/** Linux fixes USER_HZ at 100 for x86 and arm64. */
const TICKS_PER_SECOND = 100;
const POLL_MS = 50;

/** Finds the running processes of this user whose arguments satisfy `matches`. */
export async function findProcesses(matches: (argv: readonly string[]) => boolean): Promise<FoundProcess[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^[0-9]+$/u.test(entry)).map(Number);
  const found = await Promise.all(pids.map((pid) => findProcess(pid)));
  return found.filter((process) => process !== undefined && matches(process.argv)).filter((each) => each !== undefined);
}

/** Whether exactly this process still runs (a zombie does not). */
export async function isRunning(process: Pick<FoundProcess, "pid" | "startTicks">): Promise<boolean> {
  return (await findProcess(process.pid))?.startTicks === process.startTicks;
}

/** How long the process has run, in seconds. */
export async function ageOf(process: FoundProcess): Promise<number> {
  const uptimeSeconds = Number.parseFloat(await readFile("/proc/uptime", "utf8"));
  return Math.max(0, uptimeSeconds - process.startTicks / TICKS_PER_SECOND);
}

/** Ends processes: SIGTERM, then SIGKILL to those that still run after `graceMs`. Resolves when none is left. */
export async function endProcesses(processes: readonly FoundProcess[], graceMs: number): Promise<void> {
  await Promise.all(
    processes.map(async (process) => {
      await sendSignal(process, "SIGTERM");
      if (await waitForEnd(process, graceMs)) return;
      await sendSignal(process, "SIGKILL");
      await waitForEnd(process, KILL_TIMEOUT_MS);
    }),
  );
}

/** Also a process in an uninterruptible wait is gone after this. */
const KILL_TIMEOUT_MS = 10_000;

/** Whether the process ended within the time. */
export async function waitForEnd(process: FoundProcess, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isRunning(process)) {
    if (performance.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function sendSignal(target: FoundProcess, signal: NodeJS.Signals): Promise<void> {
  if (!(await isRunning(target))) return;
  try {
    process.kill(target.pid, signal);
  } catch (error) {
    // It ended in between.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Undefined for processes that have ended (zombies too) or that this user may not see. */
export async function findProcess(pid: number): Promise<FoundProcess | undefined> {
  let stat: string;
  let commandLine: string;
  try {
    [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
    ]);
  } catch {
    return undefined;
  }
  return parseProcess(pid, stat, commandLine);
}

/** The program's name in /proc/PID/stat is in brackets and may hold spaces and brackets itself: fields count from its end. */
export function parseProcess(pid: number, stat: string, commandLine: string): FoundProcess | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  const threads = Number(fields[20 - 3]);
  const startTicks = Number(fields[22 - 3]);
  if (state === "X" || !Number.isSafeInteger(startTicks)) return undefined;
  // The first thread can be a zombie while others still hold the files and ports of them all.
  if (state === "Z" && threads <= 1) return undefined;
  return { pid, startTicks, argv: commandLine.split("\0").slice(0, -1) };
}
