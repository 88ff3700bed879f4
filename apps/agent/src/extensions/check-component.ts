import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import type { MergeRecord } from "./merge-record.ts";

type Merged = MergeRecord["merged"][number];

const HEALTH_LIMIT_SECONDS = 120;
const KEPT_CHARACTERS = 1500;
const UNIT_TIMEOUT_MS = 120_000;

/** What can be done about a component once another version of it is merged. For tests. */
export type ComponentChecks = {
  readonly refresh: () => Promise<void>;
  readonly switchUnits: (before: Merged | undefined, after: Merged) => Promise<void>;
  readonly checkHealth: (component: Merged) => Promise<void>;
};

export const NODE_CHECKS: ComponentChecks = {
  refresh,
  switchUnits,
  checkHealth,
};

const REFRESH = "ashlar-extensions-refresh.service";

/**
 * Has everything that is on the node now taken into account. A run that has begun before may have looked already, and to
 * start a service that is being started means to wait for that run: then it is started once more.
 */
async function refresh(): Promise<void> {
  const { stdout } = await run("systemctl", ["is-active", REFRESH], { acceptStatus: [0, 3] });
  // How that run ends is not our matter.
  if (stdout.toString("utf8").trim() === "activating")
    await run("systemctl", ["start", REFRESH], { acceptStatus: [0, 1] });
  await run("systemctl", ["start", REFRESH]);
}

/**
 * Restarts and reloads the units that the extension names, those only that run, and starts what it wants started.
 *
 * @throws AshlarError `failed`
 */
async function switchUnits(before: Merged | undefined, after: Merged): Promise<void> {
  const restart = new Set([...(before?.behaviour.restart ?? []), ...after.behaviour.restart]);
  await systemctl("try-restart", [...restart]);
  await systemctl("try-reload-or-restart", after.behaviour.reload);
  await systemctl("start", after.behaviour.start);
}

async function systemctl(verb: string, units: readonly string[]): Promise<void> {
  if (units.length > 0) await run("systemctl", [verb, ...units], { timeoutMs: UNIT_TIMEOUT_MS });
}

/**
 * Runs the extension's check as a unit of its own: a service whose file system is protected, as this one's, goes on seeing
 * the extension that was merged when it started.
 *
 * @throws AshlarError `failed` with what the check printed
 */
async function checkHealth({ behaviour: { healthCheck } }: Merged): Promise<void> {
  if (healthCheck === null) return;
  const options = ["--quiet", "--wait", "--pipe", "--collect", `--property=RuntimeMaxSec=${HEALTH_LIMIT_SECONDS}`];
  const { status, stdout, stderr } = await run("systemd-run", [...options, healthCheck], { acceptStatus: STATUSES });
  if (status === 0) return;
  const output = `${stdout.toString("utf8")}${stderr}`.trim().slice(-KEPT_CHARACTERS);
  throw new AshlarError("failed", [`${healthCheck} ended with status ${status}`, output].filter(Boolean).join("\n"));
}

const STATUSES: readonly number[] = Array.from({ length: 256 }, (_, status) => status);
