import { join } from "node:path";
import { messageOf, membersOf } from "@ashlar/base";
import { reportText } from "@ashlar/host/terminal";
import type { HealthCheck, HealthReport } from "@ashlar/protocol";
import { forgetFailures, recordFailure } from "../failures.ts";
import type { NodePaths } from "../../shared/node-paths.ts";
import { noteFallbacks } from "../note-fallbacks.ts";
import { readRunningSystem } from "../../shared/running-system.ts";
import { readStateFile, writeStateFile } from "../../shared/state-file.ts";
import { isOnTrial } from "../trial.ts";
import { builtInChecks } from "./built-in-checks.ts";
import { rememberExtensions } from "./check-extensions.ts";
import { findExecutables } from "./find-executables.ts";
import { startPatience } from "./patience.ts";
import { runCheck, type Check } from "./run-check.ts";

const MAX_NAMES_CHARACTERS = 200;

export type HealthResult = HealthReport & {
  /** Whether the outcome decides if this release is kept. */
  readonly trial: boolean;
};

/**
 * Runs every check at once and writes what they found for the updater. In a trial a failure is on the disk before this
 * returns: the reboot may come at once.
 *
 * `builtIn`: for tests.
 */
export async function runHealth(
  paths: NodePaths,
  limitMs: number,
  builtIn: readonly Check[] = builtInChecks(paths),
): Promise<HealthResult> {
  const { version, bootId } = await readRunningSystem(paths);
  const trial = await isOnTrial(paths);
  const checks = [...builtIn, ...(await findExecutables(paths.healthDirectories))];
  const done = new AbortController();
  const patience = startPatience(limitMs, paths.pressure, done.signal);
  const results = await Promise.all(checks.map(async (check) => await runCheck(check, patience)));
  done.abort();
  const report = { healthy: results.every(({ passed }) => passed), checks: results };
  await writeStateFile(healthFile(paths), { bootId, ...report });
  await noteFallbacks(paths).catch((error: unknown) => {
    reportText(`which releases were given up cannot be found out: ${messageOf(error)}`);
  });
  if (report.healthy) await rememberExtensions(paths);
  if (trial && report.healthy) await forgetFailures(paths.state, version);
  if (trial && !report.healthy) {
    const failed = results.filter(({ passed }) => !passed);
    const check = failed
      .map(({ name }) => name)
      .join(", ")
      .slice(0, MAX_NAMES_CHARACTERS);
    // Of several failures the message says which is which.
    const messages = failed.map((each) => (failed.length === 1 ? each.message : `${each.name}: ${each.message}`));
    const message = messages.join("\n");
    await recordFailure(paths.state, { version, bootId, at: new Date().toISOString(), check, message });
  }
  return { trial, ...report };
}

/** What the checks of this boot found; null before they ran. */
export async function readHealth(paths: Pick<NodePaths, "runtime">): Promise<HealthReport | null> {
  const { healthy, checks } = membersOf(await readStateFile(healthFile(paths)));
  if (typeof healthy !== "boolean" || !Array.isArray(checks)) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only runHealth writes this file, which root alone can
  return { healthy, checks: checks as HealthCheck[] };
}

function healthFile({ runtime }: Pick<NodePaths, "runtime">): string {
  return join(runtime, "health.json");
}
