/** `npm test`: the check, then the end-to-end tests in virtual machines. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { check } from "./check.ts";
import { endStepsOnSignal } from "./steps.ts";

process.exitCode = await testEverything();

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
