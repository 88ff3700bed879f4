import { printJson, printLine, printLines } from "@ashlar/host/terminal";
import type { NodePaths } from "../shared/node-paths.ts";
import { runHealth } from "../boot/health/run-health.ts";

/** Gives the exit status. Only a release on trial has something to lose: it is given up when this is not 0. */
export async function healthCommand(paths: NodePaths, limitMs: number, json: boolean): Promise<number> {
  const { trial, ...report } = await runHealth(paths, limitMs);
  if (json) printJson({ trial, ...report });
  else {
    for (const { name, passed, durationMs, message } of report.checks) {
      const [first = "", ...more] = message.split("\n");
      printLine(`${passed ? "passed" : "FAILED"}  ${name} (${durationMs} ms)${first === "" ? "" : `: ${first}`}`);
      printLines(more.map((line) => `    ${line}`));
    }
    const consequence = report.healthy ? "" : trial ? ": it is given up" : ": reported only, since it is not on trial";
    printLine(`This boot is ${report.healthy ? "healthy" : "not healthy"}${consequence}.`);
  }
  return trial && !report.healthy ? 1 : 0;
}
