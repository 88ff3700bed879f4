import { AshlarError } from "@ashlar/base";
import { playDemo } from "./play-demo.ts";

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interruption.abort());

try {
  const report = await playDemo("out/demo", interruption.signal);
  process.exitCode = report.held ? 0 : 1;
} catch (error) {
  if (!(error instanceof AshlarError)) throw error;
  console.error(`demo: ${error.message}`);
  if (error.hint !== undefined) console.error(`hint: ${error.hint}`);
  process.exitCode = error.code === "interrupted" ? 130 : 1;
}
