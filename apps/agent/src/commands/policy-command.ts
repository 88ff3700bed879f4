import { run } from "@ashlar/host";
import { printLine } from "@ashlar/host/terminal";
import type { UpdateStatus } from "@ashlar/protocol";
import type { NodePaths } from "../shared/node-paths.ts";
import { isInWindow, nextBeginning, type UpdatePolicy } from "@ashlar/declaration";
import { ask, followOrder } from "./node-commands.ts";
import { readPolicy } from "../shared/read-policy.ts";

/** What the timer runs: does what update.yaml says. */
export async function policyCommand(paths: NodePaths): Promise<void> {
  const policy = await readPolicy(paths);
  if (policy?.repository === undefined) {
    printLine("no repository is configured: nothing to do");
    return;
  }
  const before = await ask(paths, "GET", "/v1/update");
  if (before.trial) {
    printLine(`${before.version} is on trial: nothing to do until it has been found healthy`);
    return;
  }
  try {
    await followOrder(paths, "/v1/update", {}, (line) => printLine(line));
  } finally {
    // What is staged already does not wait for a repository that does not answer.
    await rebootIfDue(paths, policy);
  }
}

async function rebootIfDue(paths: NodePaths, policy: UpdatePolicy): Promise<void> {
  const status = await ask(paths, "GET", "/v1/update");
  const nowMs = Date.now();
  if (shouldReboot(policy, status, nowMs)) {
    printLine(`rebooting into ${status.staged}`);
    await ask(paths, "POST", "/v1/reboot", "{}");
    return;
  }
  printLine(status.rebootNeeded ? `${status.staged} boots next` : `${status.version} runs, and boots next`);
  if (!status.rebootNeeded || policy.reboot !== "window" || policy.window === undefined) return;
  const begin = nextBeginning(policy.window, nowMs, TIMER_PERIOD_MS);
  if (begin !== undefined) await comeBackAt(begin - nowMs);
}

/** A window may be shorter than the time until the timer comes again. */
async function comeBackAt(inMs: number): Promise<void> {
  const seconds = Math.ceil(inMs / 1000) + 1;
  printLine(`the window begins in ${seconds} s`);
  await run("systemctl", ["stop", `${WINDOW_UNIT}.timer`], { acceptStatus: [0, 5] });
  const timer = [`--unit=${WINDOW_UNIT}`, `--on-active=${seconds}`, "--timer-property=AccuracySec=1s"];
  await run("systemd-run", ["--quiet", "--collect", ...timer, "systemctl", "start", "ashlar-update.service"]);
}

const WINDOW_UNIT = "ashlar-update-window";
/** As in ashlar-update.timer, with time to spare. */
const TIMER_PERIOD_MS: number = 2 * 60 * 60_000;

export function shouldReboot(
  { reboot, window }: Pick<UpdatePolicy, "reboot" | "window">,
  { rebootNeeded }: Pick<UpdateStatus, "rebootNeeded">,
  nowMs: number,
): boolean {
  if (!rebootNeeded || reboot === "never") return false;
  return reboot === "now" || (window !== undefined && isInWindow(window, nowMs));
}
