import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@ashlar/base";
import { run } from "@ashlar/host";
import type { NodePaths } from "../node-paths.ts";
import { isMissing } from "../state-file.ts";
import { type Applied, applyExtensions } from "./apply-extensions.ts";
import { nodeMachine } from "./machine.ts";
import { hasMergeRecord, type MergeRecord } from "./merge-record.ts";

const FETCH_UNIT = "ashlar-extensions-fetch.service";

/** What ashlar-extensions.service runs, at boot and for each change. */
export async function applyCommand(paths: NodePaths, json: boolean): Promise<void> {
  const bootId = (await readFile(paths.bootId, "utf8")).trim();
  const isFirst = !(await hasMergeRecord(paths.extensions));
  const { record, added } = await applyExtensions(paths, nodeMachine(paths), bootId);
  console.log(json ? JSON.stringify(record, undefined, 2) : describeRecord(record));
  await startUnits(paths, added);
  // While this boot goes on: its basic.target waits for what is being fetched.
  if (isFirst && record.missing.length > 0) await run("systemctl", ["start", "--no-block", FETCH_UNIT]);
}

/** Nothing is waited for: at boot these units themselves wait until the system is up. */
async function startUnits({ extensions }: NodePaths, added: Applied["added"]): Promise<void> {
  if (added.length === 0) return;
  const enabled = await readEnabledUnits(extensions.runtime);
  const failed = await readFailedUnits();
  for (const unit of [...enabled, ...failed, ...added.flatMap(({ behaviour }) => behaviour.start)]) {
    await run("systemctl", ["start", "--no-block", unit]).catch((error: unknown) => {
      console.error(`${unit} is not started: ${messageOf(error)}`);
    });
  }
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
    const units = (await readFile(join(runtime, "units"), "utf8")).split("\n").filter((unit) => unit !== "");
    return units.filter((unit) => UNIT_DIRECTORIES.some((directory) => existsSync(join(directory, unit))));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const CONFIGURED_UNITS = "/etc/systemd/system";
const UNIT_DIRECTORIES = ["/usr/lib/systemd/system", CONFIGURED_UNITS];

export function describeRecord({ merged, setAside, missing }: MergeRecord): string {
  const lines = [
    ...merged.map(({ kind, name, version, rootHash, until }) => {
      return `merged     ${kind} ${name} ${version}, root hash ${rootHash}${until === null ? "" : `, until ${until}`}`;
    }),
    ...setAside.map(
      ({ name, version, reason }) => `set aside  ${name}${version === null ? "" : ` ${version}`}: ${reason}`,
    ),
    ...missing.map(({ name, reason }) => `missing    ${name}: ${reason}`),
  ];
  return lines.length === 0 ? "no extensions" : lines.join("\n");
}
