import { AshlarError, EXIT_STATUS } from "@ashlar/base";
import { reportError } from "@ashlar/host/terminal";
import { playDemo } from "./play-demo.ts";

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interruption.abort());

try {
  const report = await playDemo("out/demo", interruption.signal);
  process.exitCode = report.held ? 0 : 1;
} catch (error) {
  if (!(error instanceof AshlarError)) throw error;
  reportError(error, "demo");
  process.exitCode = EXIT_STATUS[error.code];
}
