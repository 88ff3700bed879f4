import type { NodePaths } from "../shared/node-paths.ts";
import { runHealth } from "../boot/health/run-health.ts";

/** Gives the exit status. Only a release on trial has something to lose: it is given up when this is not 0. */
export async function healthCommand(paths: NodePaths, limitMs: number, json: boolean): Promise<number> {
  const { trial, ...report } = await runHealth(paths, limitMs);
  if (json) console.log(JSON.stringify({ trial, ...report }, undefined, 2));
  else {
    for (const { name, passed, durationMs, message } of report.checks) {
      console.log(`${passed ? "passed" : "FAILED"}  ${name} (${durationMs} ms)${message === "" ? "" : `: ${message}`}`);
    }
    const consequence = report.healthy ? "" : trial ? ": it is given up" : ": reported only, since it is not on trial";
    console.log(`This boot is ${report.healthy ? "healthy" : "not healthy"}${consequence}.`);
  }
  return trial && !report.healthy ? 1 : 0;
}
