import type { UpdateStatus } from "@ashlar/identity/update-api";
import type { NodePaths } from "../node-paths.ts";
import { isInWindow } from "./maintenance-window.ts";
import { ask, followOrder } from "./node-commands.ts";
import type { UpdatePolicy } from "./policy.ts";
import { readPolicy } from "./read-policy.ts";

/** What the timer runs: does what update.yaml says. */
export async function policyCommand(paths: NodePaths): Promise<void> {
  const policy = await readPolicy(paths);
  if (policy?.repository === undefined) {
    console.log("no repository is configured: nothing to do");
    return;
  }
  const before = await ask(paths, "GET", "/v1/update");
  if (before.trial) {
    console.log(`${before.version} is on trial: nothing to do until it has been found healthy`);
    return;
  }
  const status = await followOrder(paths, "/v1/update", {}, (line) => console.log(line));
  if (!shouldReboot(policy, status, Date.now())) {
    console.log(status.rebootNeeded ? `${status.staged} boots next` : `${status.version} is the newest for this node`);
    return;
  }
  console.log(`rebooting into ${status.staged}`);
  await ask(paths, "POST", "/v1/reboot", "{}");
}

export function shouldReboot(
  { reboot, window }: Pick<UpdatePolicy, "reboot" | "window">,
  { rebootNeeded }: Pick<UpdateStatus, "rebootNeeded">,
  nowMs: number,
): boolean {
  if (!rebootNeeded || reboot === "never") return false;
  return reboot === "now" || (window !== undefined && isInWindow(window, nowMs));
}
