import { randomUUID } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { startPatience } from "../../boot/health/patience.ts";
import type { NodePaths } from "../../shared/node-paths.ts";
import type { MergeRecord } from "../../extensions/merge-record.ts";
import { requestRefresh, wakeRefresher } from "../../extensions/refresher-client.ts";

type Merged = MergeRecord["merged"][number];

/** Not counting the time in which the machine is busy, see startPatience. */
const HEALTH_LIMIT_MS = 120_000;
const KEPT_CHARACTERS = 1500;
const UNIT_TIMEOUT_MS = 120_000;

/** What can be done about a component once another version of it is merged. For tests. */
export type ComponentChecks = {
  /** Tells that a refresh will follow soon. */
  readonly announceRefresh: () => void;
  readonly refresh: () => Promise<void>;
  readonly switchUnits: (before: Merged | undefined, after: Merged) => Promise<void>;
  readonly checkHealth: (component: Merged) => Promise<void>;
};

export function nodeChecks(paths: Pick<NodePaths, "refresherSocket" | "pressure">): ComponentChecks {
  return {
    announceRefresh: () => wakeRefresher(paths),
    refresh: async () => await requestRefresh(paths),
    switchUnits,
    checkHealth: async (component) => await checkHealth(component, paths.pressure),
  };
}

/**
 * Restarts and reloads the units that the extension names, those only that run, stops those that have gone with the
 * version before, and starts what it wants started.
 *
 * @throws AshlarError `failed`
 */
async function switchUnits(before: Merged | undefined, after: Merged): Promise<void> {
  const [restart, gone] = await partByExistence([
    ...new Set([...(before?.behaviour.restart ?? []), ...after.behaviour.restart]),
  ]);
  // Those that only the other version has.
  await systemctl("stop", gone, [0, UNIT_NOT_LOADED]);
  await systemctl("try-restart", restart);
  await systemctl("try-reload-or-restart", after.behaviour.reload);
  await systemctl("start", after.behaviour.start);
}

async function systemctl(verb: string, units: readonly string[], acceptStatus: readonly number[] = [0]): Promise<void> {
  if (units.length > 0) await run("systemctl", [verb, ...units], { timeoutMs: UNIT_TIMEOUT_MS, acceptStatus });
}

/** systemctl(1), "EXIT STATUS". */
const UNIT_NOT_LOADED = 5;

/** Units that there are, and units that there are not. */
async function partByExistence(units: readonly string[]): Promise<readonly [readonly string[], readonly string[]]> {
  if (units.length === 0) return [[], []];
  const { stdout } = await run("systemctl", ["show", "--property=LoadState", "--value", "--", ...units]);
  const states = stdout.toString("utf8").trim().split(/\n+/u);
  const isGone = (_: string, index: number): boolean => states[index] === "not-found";
  return [units.filter((unit, index) => !isGone(unit, index)), units.filter(isGone)];
}

/**
 * Runs the extension's check as a unit of its own: a service whose file system is protected, as this one's, goes on seeing
 * the extension that was merged when it started.
 *
 * @throws AshlarError `failed` with what the check printed
 */
async function checkHealth({ name, behaviour: { healthCheck } }: Merged, pressure: string): Promise<void> {
  if (healthCheck === null) return;
  // One that an updater before this one has left says nothing about this version.
  const unit = `ashlar-health-check-${name}-${randomUUID()}.service`;
  const done = new AbortController();
  const { late, describe } = startPatience(HEALTH_LIMIT_MS, pressure, done.signal);
  // What it has printed until then comes with its end.
  late.addEventListener("abort", () => void run("systemctl", ["stop", unit]).catch(() => undefined));
  try {
    const options = ["--quiet", "--wait", "--pipe", "--collect", `--unit=${unit}`];
    const { status, stdout, stderr } = await run("systemd-run", [...options, healthCheck], { acceptStatus: STATUSES });
    if (status === 0 && !late.aborted) return;
    const output = `${stdout.toString("utf8")}${stderr}`.trim().slice(-KEPT_CHARACTERS);
    const how = late.aborted ? `: ${describe()}` : ` ended with status ${status}`;
    throw new AshlarError("failed", [`${healthCheck}${how}`, output].filter(Boolean).join("\n"));
  } finally {
    done.abort();
  }
}

const STATUSES: readonly number[] = Array.from({ length: 256 }, (_, status) => status);
