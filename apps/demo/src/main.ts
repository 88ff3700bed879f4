import { printHelp, printJson, reportLine, runStep } from "@ashlar/host/terminal";
import { HELP, listActs, parseOptions, type DemoOptions } from "./options.ts";
import { playDemo } from "./play-demo.ts";

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    reportLine(interruption.signal.aborted ? "demo: still ending what it has begun" : "demo: interrupted; ending");
    interruption.abort();
  });
}

await runStep(async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options.task === "play") return await play(options);
  printHelp(options.task === "help" ? HELP : listActs());
  return 0;
}, "demo");

async function play(options: DemoOptions): Promise<number> {
  const report = await playDemo("out/demo", options, interruption.signal);
  if (options.json) printJson(report);
  return report.held ? 0 : 1;
}
