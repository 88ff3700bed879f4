import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { styleText } from "node:util";

/** One thing to check: a program, its arguments, and the name that people see. */
export type Step = { readonly name: string; readonly command: readonly [program: string, ...args: string[]] };

export type StepResult = { readonly step: Step; readonly passed: boolean; readonly output: string };

const running = new Set<ChildProcess>();
let interrupted = false;
/** One that works without a line for so many looks goes round in circles. */
const MAX_SILENT_LOOKS = 12;
/** How long a step may take to end after it was told to. */
const GRACE_MS = 5000;
/** What a shell reports for a command that SIGINT ended. */
const INTERRUPTED_STATUS = 130;

/**
 * Runs steps side by side, `lanes` at a time and in the given order, and prints a line for each when it ends, after its
 * whole output if it failed. A step that has printed nothing and used no processor from one look to the next is ended and has failed: one
 * that only gets little of a loaded machine goes on.
 */
export async function runSteps(steps: readonly Step[], lanes: number, lookMs: number): Promise<StepResult[]> {
  const waiting = [...steps];
  const results: StepResult[] = [];
  const widest = Math.max(...steps.map(({ name }) => name.length));
  const lane = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const startedAt = performance.now();
      const { passed, output } = await runStep(step, lookMs);
      if (interrupted) return;
      results.push({ step, passed, output });
      if (!passed) process.stdout.write(`\n$ ${step.command.join(" ")}\n${output}\n`);
      const mark = passed ? styleText("green", "ok  ") : styleText("red", "FAIL");
      console.log(`${mark} ${step.name.padEnd(widest)} ${formatSeconds(performance.now() - startedAt).padStart(7)}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

/** Each step has a process group of its own, so that what it started ends with it. */
async function runStep({ command: [program, ...args] }: Step, lookMs: number): Promise<Omit<StepResult, "step">> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  running.add(child);
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  let seen = { chunks: 0, times: "" };
  let silentLooks = 0;
  const looking = setInterval(() => {
    const now = { chunks: output.length, times: processorTimes(child) };
    const hasSpoken = now.chunks > seen.chunks;
    const hasWorked = hasSpoken || now.times !== seen.times;
    silentLooks = hasSpoken ? 0 : silentLooks + 1;
    seen = now;
    if (hasWorked && silentLooks < MAX_SILENT_LOOKS) return;
    const silence = formatSeconds(silentLooks * lookMs);
    output.push(Buffer.from(`silent for ${silence}, and ended:\n${describeGroup(child)}`));
    signal(child, "SIGKILL");
  }, lookMs);
  try {
    const [code] = await once(child, "close");
    return { passed: code === 0, output: Buffer.concat(output).toString("utf8") };
  } catch (error) {
    return { passed: false, output: `could not start ${program}: ${String(error)}\n` };
  } finally {
    clearInterval(looking);
    running.delete(child);
  }
}

/** How much each process of the group has used so far: any text, another one when something has gone on. */
function processorTimes({ pid }: ChildProcess): string {
  const times = globSync("/proc/[0-9]*/stat").flatMap((path) => {
    // proc_pid_stat(5): what follows the name begins with the third field.
    const [id, stat = ""] = /^(?<id>\d+) .*\) (?<stat>.*)$/su.exec(readIfThere(path))?.slice(1) ?? [];
    const fields = stat.split(" ");
    return fields[2] === String(pid) ? [`${id}:${fields[11]}+${fields[12]}`] : [];
  });
  return times.join(" ");
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** The command lines of what still runs: they tell which test file hangs. */
function describeGroup({ pid }: ChildProcess): string {
  return spawnSync("ps", ["-ww", "-o", "args=", "-g", String(pid)], { encoding: "utf8" }).stdout;
}

/**
 * Makes Ctrl-C and a terminating signal end every step before this process ends with the status of an interruption.
 * The function that it gives puts an end to that.
 */
export function endStepsOnSignal(): () => void {
  const end = (): void => {
    interrupted = true;
    console.error("\ninterrupted");
    for (const child of running) signal(child, "SIGTERM");
    setTimeout(() => running.forEach((child) => signal(child, "SIGKILL")), GRACE_MS).unref();
    const ended = [...running].map(async (child) => await once(child, "close"));
    void Promise.allSettled(ended).then(() => process.exit(INTERRUPTED_STATUS));
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  return () => {
    process.removeListener("SIGINT", end);
    process.removeListener("SIGTERM", end);
  };
}

function signal({ pid, exitCode, signalCode }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
}

export function formatSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
