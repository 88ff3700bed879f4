/**
 * Runs the end-to-end tests, one file after the other, since each uses the whole machine. Says at least once a minute
 * what is going on, and ends with node:test's counts.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { startHeartbeat } from "./heartbeat.ts";

const SILENCE_MS = 50_000;
/** How long a test may take to end its machines after it was told to. */
const GRACE_MS = 60_000;
/** What a shell reports for a command that SIGINT ended. */
const INTERRUPTED_STATUS = 130;

const named = process.argv.slice(2);
const files = named.length === 0 ? globSync(join(import.meta.dirname, "*.test.ts")).toSorted() : named;
if (files.length === 0) throw new Error("expected end-to-end tests in test/e2e, found none");
const interruption = new AbortController();
const events = run({ files, concurrency: 1, signal: interruption.signal });

let phase = "starting";
let passed = true;
const heartbeat = startHeartbeat({ phase: () => phase, say: console.log, silenceMs: SILENCE_MS });
events.on("test:dequeue", ({ name }) => (phase = name.replace(`${process.cwd()}/`, "")));
events.on("test:summary", ({ success }) => (passed &&= success));
const report = events.compose(spec);
report.on("data", (text: string | Buffer) => {
  heartbeat.heard();
  process.stdout.write(text);
});
report.on("end", () => {
  heartbeat.stop();
  if (interruption.signal.aborted) process.exitCode = INTERRUPTED_STATUS;
  else process.exitCode = passed ? 0 : 1;
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    interruption.abort();
    setTimeout(() => process.exit(INTERRUPTED_STATUS), GRACE_MS).unref();
  });
}
