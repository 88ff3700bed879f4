import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { runCheck } from "../health/run-check.ts";
import { runExecutable } from "../health/run-executable.ts";
import type { MergeRecord } from "./merge-record.ts";

type Merged = MergeRecord["merged"][number];

const HEALTH_LIMIT_MS = 120_000;
const UNIT_TIMEOUT_MS = 120_000;

/** What can be done about a component once another version of it is merged. For tests. */
export type ComponentChecks = {
  readonly refresh: () => Promise<void>;
  readonly switchUnits: (before: Merged | undefined, after: Merged) => Promise<void>;
  readonly checkHealth: (component: Merged) => Promise<void>;
};

export const NODE_CHECKS: ComponentChecks = {
  refresh: async () => void (await run("systemctl", ["start", "ashlar-extensions-refresh.service"])),
  switchUnits,
  checkHealth,
};

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

/** @throws AshlarError `failed` */
async function checkHealth({ behaviour: { healthCheck } }: Merged): Promise<void> {
  if (healthCheck === null) return;
  const check = { name: healthCheck, run: async (signal: AbortSignal) => await runExecutable(healthCheck, signal) };
  const { passed, message } = await runCheck(check, HEALTH_LIMIT_MS);
  if (!passed) throw new AshlarError("failed", message);
}
