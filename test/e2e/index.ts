/**
 * `node test/e2e/index.ts [FOLDER|FILE...]`: runs tests in virtual machines, by default the end-to-end tests beside this
 * file: one file after the other, since each uses the whole machine; of test/faults, which mostly wait for a guest, two.
 * Says at least once a minute what is going on, and ends with node:test's counts.
 */
import { once } from "node:events";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { messageOf } from "@ashlar/base";
import { startHeartbeat } from "./heartbeat.ts";

const SILENCE_MS = 50_000;
/** How long a test may take to end its machines after it was told to. */
const GRACE_MS = 60_000;
/** What a shell reports for a command that SIGINT ended. */
const INTERRUPTED_STATUS = 130;

const named = process.argv.slice(2);
const files = (named.length === 0 ? [import.meta.dirname] : named)
  .flatMap((name) => (name.endsWith(".ts") ? [name] : globSync(join(name, "*.test.ts")).toSorted()))
  .map((name) => resolve(name));
if (files.length === 0) throw new Error(`expected tests in ${named.join(", ")}, found none`);
/** They wait more than they work, and share what they are prepared with. */
const PAIRED = /\/faults\/[^/]+\.test\.ts$/u;
const groups = [
  { files: files.filter((file) => !PAIRED.test(file)), concurrency: 1 },
  { files: files.filter((file) => PAIRED.test(file)), concurrency: 2 },
];
const interruption = new AbortController();

let phase = "starting";
let passed = true;
const heartbeat = startHeartbeat({ phase: () => phase, say: console.log, silenceMs: SILENCE_MS });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    interruption.abort();
    setTimeout(() => process.exit(INTERRUPTED_STATUS), GRACE_MS).unref();
  });
}

for (const group of groups) {
  if (group.files.length > 0 && !interruption.signal.aborted) await runGroup(group);
}
heartbeat.stop();
if (interruption.signal.aborted) process.exitCode = INTERRUPTED_STATUS;
else process.exitCode = passed ? 0 : 1;

async function runGroup(group: (typeof groups)[number]): Promise<void> {
  const events = run({ ...group, signal: interruption.signal });
  events.on("test:dequeue", ({ name }) => (phase = name.replace(`${process.cwd()}/`, "")));
  events.on("test:summary", ({ success }) => (passed &&= success));
  // The reporter explains failures at the very end: in a run of an hour somebody may want to know sooner.
  events.on("test:fail", ({ name, details }) => console.log(`e2e: ${name}: ${messageOf(details.error.cause)}`));
  const report = events.compose(spec);
  report.on("data", (text: string | Buffer) => {
    heartbeat.heard();
    process.stdout.write(text);
  });
  await once(report, "end");
}
