import { join } from "node:path";
import { run } from "@ashlar/host";

/** Without spaces, at which NODE_OPTIONS is split. Threads load it, too. */
const PRINT_USAGE =
  "data:text/javascript,import{isMainThread}from'node:worker_threads';if(isMainThread)process.on('exit',()=>" +
  "{const{maxRSS,userCPUTime,systemCPUTime}=process.resourceUsage();console.error('used:'+maxRSS+':'+(userCPUTime+systemCPUTime))})";

export type Used = {
  readonly stdout: string;
  /** Of all threads. */
  readonly processorMs: number;
  readonly elapsedMs: number;
  readonly peakMB: number;
};

/** Runs `./ashlar`, which has to end with this status, and says what that has taken. */
export async function runAshlar(args: readonly string[], status: number): Promise<Used> {
  const ashlar = join(import.meta.dirname, "../../ashlar");
  const started = performance.now();
  const { stdout, stderr } = await run(ashlar, [...args], {
    acceptStatus: [status],
    env: { NODE_OPTIONS: `--import=${PRINT_USAGE}` },
  });
  const elapsedMs = performance.now() - started;
  const [, kibibytes, microseconds] = /^used:([0-9]+):([0-9]+)$/mu.exec(stderr) ?? [];
  return {
    stdout: stdout.toString("utf8"),
    processorMs: Number(microseconds) / 1000,
    elapsedMs,
    peakMB: (Number(kibibytes) * 1024) / 1e6,
  };
}
