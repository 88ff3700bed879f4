import { membersOf } from "@ashlar/base";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExtensionBehaviour, ExtensionsStatus, MergedExtension } from "@ashlar/protocol";
import type { ExtensionPaths } from "../shared/node-paths.ts";
import { readStateFile, writeStateFile } from "../shared/state-file.ts";

/** Directories of configuration that systemd applies once, early in a boot. */
export const SETTINGS = ["modules-load.d", "sysctl.d", "tmpfiles.d"] as const;
export type Setting = (typeof SETTINGS)[number];

/** What was merged, and what was not: the outcome of `ashlar agent extensions apply`, for everybody who asks later. */
export type MergeRecord = Pick<ExtensionsStatus, "setAside" | "missing"> & {
  readonly merged: readonly (MergedExtension & {
    readonly path: string;
    readonly behaviour: ExtensionBehaviour;
    /** Whether the service manager must read units again when it comes or goes. */
    readonly hasUnits: boolean;
    /** Those that it brings, by their names. */
    readonly units: readonly string[];
    /** What it configures once. */
    readonly settings: readonly Setting[];
  })[];
};

export const EMPTY_RECORD: MergeRecord = { merged: [], setAside: [], missing: [] };

export async function readMergeRecord({ runtime }: Pick<ExtensionPaths, "runtime">): Promise<MergeRecord> {
  const { merged, setAside, missing } = membersOf(await readStateFile(fileIn(runtime)));
  if (!Array.isArray(merged) || !Array.isArray(setAside) || !Array.isArray(missing)) return EMPTY_RECORD;
  // Only `apply` writes this file, which root alone can.
  return { merged, setAside, missing };
}

/**
 * Notes that what is merged may change from now on, until the record says what it is. False when somebody has begun before
 * and did not come to an end: then the record may say what is no longer so.
 */
export async function beginMerge({ runtime }: Pick<ExtensionPaths, "runtime">): Promise<boolean> {
  await mkdir(runtime, { recursive: true });
  try {
    await writeFile(merging(runtime), "", { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

export async function endMerge({ runtime }: Pick<ExtensionPaths, "runtime">): Promise<void> {
  await rm(merging(runtime), { force: true });
}

function merging(runtime: string): string {
  return join(runtime, "merging");
}

/** Whether anything was decided in this boot yet. */
export async function hasMergeRecord({ runtime }: Pick<ExtensionPaths, "runtime">): Promise<boolean> {
  return (await readStateFile(fileIn(runtime))) !== undefined;
}

export async function writeMergeRecord(
  { runtime }: Pick<ExtensionPaths, "runtime">,
  record: MergeRecord,
): Promise<void> {
  await writeStateFile(fileIn(runtime), record);
}

export function describeRecord({ merged, setAside, missing }: MergeRecord): string[] {
  const lines = [
    ...merged.map(({ kind, name, version, rootHash, until }) => {
      return `merged     ${kind} ${name} ${version}, root hash ${rootHash}${until === null ? "" : `, until ${until}`}`;
    }),
    ...setAside.map(
      ({ name, version, reason }) => `set aside  ${name}${version === null ? "" : ` ${version}`}: ${reason}`,
    ),
    ...missing.map(({ name, reason }) => `missing    ${name}: ${reason}`),
  ];
  return lines.length === 0 ? ["no extensions"] : lines;
}

function fileIn(runtime: string): string {
  return join(runtime, "status.json");
}
