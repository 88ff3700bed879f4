import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { endProcesses } from "@ashlar/host";
import { stopCluster } from "./cluster/control-plane.ts";
import { withLab } from "./lab-lock.ts";
import { labPaths, type LabPaths } from "./lab-paths.ts";
import { machineProcesses } from "./machine.ts";
import { stopLabNames } from "./name-server/start.ts";
import { stopRepositoryServer } from "./repository-server.ts";

/**
 * Removes a lab: its processes, its directories and with them its ports. Half of a lab is removed too, and so is one
 * whose machines have gone with a reboot of the host.
 *
 * Gives false when there was nothing to remove.
 */
export async function labDown(name: string): Promise<boolean> {
  const paths = labPaths(name);
  return await withLab(paths, "down", async () => {
    const existed = await removeLab(paths);
    // The last act under the lock: whoever waits for it finds that the file has gone, and makes another.
    await rm(paths.lock, { force: true });
    return existed;
  });
}

/** Like labDown, for who has the lab's lock. */
export async function removeLab(paths: LabPaths): Promise<boolean> {
  const processes = await machineProcesses(paths);
  const existed = processes.length > 0 || existsSync(paths.directory) || existsSync(paths.runtime);
  await endProcesses(processes, GRACE_MS);
  await stopRepositoryServer(paths);
  await stopLabNames(paths);
  await stopCluster(paths);
  await rm(paths.directory, { recursive: true, force: true });
  await rm(paths.runtime, { recursive: true, force: true });
  return existed;
}

const GRACE_MS = 3000;
