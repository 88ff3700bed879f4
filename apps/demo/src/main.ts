import { AshlarError, EXIT_STATUS } from "@ashlar/base";
import { printJson, printLines, reportError, reportLine } from "@ashlar/host/terminal";
import { HELP, listActs, parseOptions, type DemoOptions } from "./options.ts";
import { playDemo } from "./play-demo.ts";

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    reportLine(interruption.signal.aborted ? "demo: still ending what it has begun" : "demo: interrupted; ending");
    interruption.abort();
  });
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.task === "play") await play(options);
  else printLines((options.task === "help" ? HELP : listActs()).split("\n"));
} catch (error) {
  if (!(error instanceof AshlarError)) throw error;
  reportError(error, "demo");
  process.exitCode = EXIT_STATUS[error.code];
}

async function play(options: DemoOptions): Promise<void> {
  const report = await playDemo("out/demo", options, interruption.signal);
  if (options.json) printJson(report);
  process.exitCode = report.held ? 0 : 1;
}
