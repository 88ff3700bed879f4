import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@ashlar/base";
import { isMissing, run } from "@ashlar/host";
import { reportText } from "@ashlar/host/terminal";
import type { NodePaths } from "../shared/node-paths.ts";
import { type Applied, applyExtensions, lookAhead } from "./apply-extensions.ts";
import { nodeMachine } from "./machine.ts";
import { hasMergeRecord, type MergeRecord } from "../extensions/merge-record.ts";

const FETCH_UNIT = "ashlar-extensions-fetch.service";

/**
 * Applies on this node, and starts what has been waiting for what is merged now.
 *
 * @throws AshlarError as `applyExtensions`
 */
export async function applyOnNode(paths: NodePaths): Promise<MergeRecord> {
  const isFirst = !(await hasMergeRecord(paths.extensions));
  const bootId = await readBootId(paths);
  const [{ record, added }, failed] = await Promise.all([
    applyExtensions(paths, nodeMachine(paths), bootId),
    readFailedUnits().catch((error: unknown) => {
      reportText(`which units have failed cannot be found out: ${messageOf(error)}`);
      return [];
    }),
  ]);
  if (added.length > 0) await startUnits(paths, added, failed);
  // While this boot goes on: its basic.target waits for what is being fetched.
  if (isFirst && record.missing.length > 0) await run("systemctl", ["start", "--no-block", FETCH_UNIT]);
  return record;
}

/** What a refresh soon will want to know already. */
export async function prepareToApply(paths: NodePaths): Promise<void> {
  // Nothing is merged yet, so there is nothing to look at.
  if (await hasMergeRecord(paths.extensions)) await lookAhead(paths, await readBootId(paths));
}

async function readBootId({ bootId }: NodePaths): Promise<string> {
  return (await readFile(bootId, "utf8")).trim();
}

/** Nothing is waited for: at boot these units themselves wait until the system is up. */
async function startUnits(
  { extensions }: NodePaths,
  added: Applied["added"],
  failed: readonly string[],
): Promise<void> {
  const brought = new Set(added.flatMap((each) => each.units));
  const enabled = (await readEnabledUnits(extensions.runtime)).filter((unit) => brought.has(unit));
  const units = [...enabled, ...failed, ...added.flatMap(({ behaviour }) => behaviour.start)];
  if (units.length === 0) return;
  await run("systemctl", ["start", "--no-block", ...units]).catch((error: unknown) => {
    reportText(`not every unit is started: ${messageOf(error)}`);
  });
}

/** Units of the configuration that have failed: perhaps for want of what has come now. */
async function readFailedUnits(): Promise<string[]> {
  const { stdout } = await run("systemctl", ["list-units", "--state=failed", "--plain", "--no-legend", "--full"]);
  const units = stdout.toString("utf8").split("\n");
  const names = units.map((line) => line.split(" ", 1)[0] ?? "").filter((name) => /^[^/\s]+$/u.test(name));
  return names.filter((name) => existsSync(join(CONFIGURED_UNITS, name)));
}

/** Units that the configuration enables and that were not there in the initrd (ashlar-presets). */
async function readEnabledUnits(runtime: string): Promise<string[]> {
  try {
    return (await readFile(join(runtime, "units"), "utf8")).split("\n").filter((unit) => unit !== "");
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const CONFIGURED_UNITS = "/etc/systemd/system";
