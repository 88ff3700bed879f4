/** `npm test`: see its help. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArguments, printHelp, runStep } from "@ashlar/host/terminal";
import { check } from "./check.ts";
import { endStepsOnSignal } from "./steps.ts";

const HELP = `Usage: npm test

The check (npm run check), then the end-to-end tests in virtual machines. Those alone: node test/e2e/index.ts --help.

Options:
  -h, --help  print this

Exit status: 0 everything passed; 1 something did not; 130 it was interrupted.

Examples:
  npm test
  npm run check
  node test/e2e/index.ts test/e2e/node.test.ts
  node --test packages/base/src/printable.test.ts`;

await runStep(async () => {
  const { values } = parseArguments({ options: { help: { type: "boolean", short: "h" } } }, "npm test -- --help");
  if (values.help !== true) return await testEverything();
  printHelp(HELP);
  return 0;
});

async function testEverything(): Promise<number> {
  const stopHandlingSignals = endStepsOnSignal();
  const checkStatus = await check();
  stopHandlingSignals();
  if (checkStatus !== 0) {
    console.error("e2e: not run, because the check failed");
    return checkStatus;
  }
  const child = spawn("node", ["test/e2e/index.ts"], { stdio: "inherit" });
  // A terminal's Ctrl-C reaches the child by itself; it ends its machines, and this process waits for that.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const [status] = await once(child, "close");
  return typeof status === "number" ? status : 1;
}
