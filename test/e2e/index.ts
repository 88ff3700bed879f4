/** `node test/e2e/index.ts`, `npm run faults`: see its help. */
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { AshlarError, messageOf } from "@ashlar/base";
import { parseArguments, printHelp, runStep } from "@ashlar/host/terminal";
import { startHeartbeat } from "./heartbeat.ts";

const HELP_COMMAND = "npm run faults -- --help";
const HELP = `Usage: npm run faults [-- file...]
       node test/e2e/index.ts [folder|file...]

Runs tests in virtual machines: npm run faults those of test/faults, the other those of test/e2e, as npm test does after the
check. Says at least once a minute what is going on, and ends with the counts of what passed and failed.

Options:
  -h, --help  print this

Exit status: 0 all passed; 1 some did not; 130 it was interrupted.

Examples:
  npm run faults
  npm run faults -- test/faults/update-power-cut.test.ts
  node test/e2e/index.ts test/e2e/node.test.ts`;

const SILENCE_MS = 50_000;
/** How long a test may take to end its machines after it was told to. */
const GRACE_MS = 60_000;
/** What a shell reports for a command that SIGINT ended. */
const INTERRUPTED_STATUS = 130;
/** They wait more than they work, and share what they are prepared with. Of the others each uses the whole machine. */
const PAIRED = /\/faults\/[^/]+\.test\.ts$/u;

type Group = { readonly files: readonly string[]; readonly concurrency: number };

const interruption = new AbortController();
let phase = "starting";

await runStep(async () => {
  const options = { help: { type: "boolean", short: "h" } } as const;
  const { values, positionals } = parseArguments({ options, allowPositionals: true }, HELP_COMMAND);
  if (values.help !== true) return await runFiles(findTests(positionals));
  printHelp(HELP);
  return 0;
});

/** @throws AshlarError `usage` */
function findTests(named: readonly string[]): string[] {
  return (named.length === 0 ? [import.meta.dirname] : named).flatMap((name) => {
    const files = name.endsWith(".ts") ? [name].filter(existsSync) : globSync(join(name, "*.test.ts")).toSorted();
    if (files.length > 0) return files.map((file) => resolve(file));
    const hint = `usage and examples: ${HELP_COMMAND}`;
    throw new AshlarError("usage", `expected a file of tests, or a folder with some, found ${name}`, { hint });
  });
}

/** Gives the exit status. */
async function runFiles(files: readonly string[]): Promise<number> {
  const groups: readonly Group[] = [
    { files: files.filter((file) => !PAIRED.test(file)), concurrency: 1 },
    { files: files.filter((file) => PAIRED.test(file)), concurrency: 2 },
  ];
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      interruption.abort();
      setTimeout(() => process.exit(INTERRUPTED_STATUS), GRACE_MS).unref();
    });
  }
  const heartbeat = startHeartbeat({ phase: () => phase, say: console.log, silenceMs: SILENCE_MS });
  let passed = true;
  for (const group of groups) {
    if (group.files.length > 0 && !interruption.signal.aborted) passed = (await runGroup(group, heartbeat)) && passed;
  }
  heartbeat.stop();
  if (interruption.signal.aborted) return INTERRUPTED_STATUS;
  return passed ? 0 : 1;
}

async function runGroup(group: Group, heartbeat: ReturnType<typeof startHeartbeat>): Promise<boolean> {
  const events = run({ ...group, signal: interruption.signal });
  let passed = true;
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
  return passed;
}
