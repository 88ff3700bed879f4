/**
 * `npm run check`: everything that can be known without a virtual machine. Steps run two at a time; the longest begin
 * first.
 */
import { parseArguments, printHelp, runStep } from "@ashlar/host/terminal";
import { COUNTS } from "./strict-reporter.ts";
import { endStepsOnSignal, formatSeconds, runSteps, type Step } from "./steps.ts";

const UNIT_TESTS: Step = {
  name: "unit tests",
  command: [
    "node",
    "--test",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=./tools/strict-reporter.ts",
    "--test-reporter-destination=stdout",
    "--test-concurrency=2",
    "packages/*/src/**/*.test.ts",
    "apps/*/src/**/*.test.ts",
    "tools/**/*.test.ts",
    "test/{bench,fuzz}/**/*.test.ts",
  ],
};

const STEPS: readonly Step[] = [
  UNIT_TESTS,
  { name: "format", command: ["oxfmt", "--check"] },
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
  { name: "types", command: ["tsc", "--build"] },
  { name: "layers", command: ["node", "tools/check-layers.ts"] },
  { name: "unused code", command: ["knip", "--no-progress"] },
  { name: "reference pages", command: ["node", "tools/docs.ts", "--check"] },
  { name: "fuzz smoke", command: ["node", "test/fuzz/index.ts", "--seconds", "0.5"] },
];

/** One lane is the unit tests; the other takes the rest meanwhile. */
const LANES = 2;
/** A step that does nothing in this time hangs. */
const STEP_LOOK_MS = 300_000;

/** Runs all steps and gives the exit status. */
export async function check(): Promise<number> {
  const startedAt = performance.now();
  const results = await runSteps(STEPS, LANES, STEP_LOOK_MS);
  const failed = results.filter(({ passed }) => !passed).map(({ step }) => step.name);
  const testLines = results.find(({ step }) => step === UNIT_TESTS)?.output.split("\n") ?? [];
  console.log(testLines.findLast((line) => line.startsWith(COUNTS)) ?? `${COUNTS}not counted`);
  const outcome = failed.length === 0 ? `all ${STEPS.length} steps passed` : `failed: ${failed.join(", ")}`;
  console.log(`check: ${outcome} (${formatSeconds(performance.now() - startedAt)})`);
  return failed.length === 0 ? 0 : 1;
}

const HELP = `Usage: npm run check

Everything that can be known without a virtual machine: ${STEPS.map(({ name }) => name).join(", ")}.

Options:
  -h, --help  print this

Exit status: 0 everything passed; 1 something did not; 130 it was interrupted.

Examples:
  npm run check
  node --test packages/base/src/printable.test.ts`;

if (import.meta.main) {
  await runStep(async () => {
    const options = { help: { type: "boolean", short: "h" } } as const;
    const { values } = parseArguments({ options }, "npm run check -- --help");
    if (values.help === true) {
      printHelp(HELP);
      return 0;
    }
    endStepsOnSignal();
    return await check();
  });
}
