import { membersOf } from "@ashlar/base";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EXTENSIONS_STATUS_SCHEMA, type ExtensionsStatus, MAX_EXTENSIONS_STATUS_BYTES } from "@ashlar/protocol";
import type { NodePaths } from "../../shared/node-paths.ts";
import { readStateFile, removeStateFile, writeStateFile } from "../../shared/state-file.ts";
import { readComponentStates } from "../../extensions/component-state.ts";
import type { Beginnings } from "../order-book.ts";
import { readMergeRecord } from "../../extensions/merge-record.ts";

/** What only the running updater knows. */
export type ExtensionActivity = Pick<ExtensionsStatus, "phase" | "target" | "progress">;

const IDLE: ExtensionActivity = { phase: "idle", target: null, progress: null };
export const EXTENSION_BEGINNINGS: Beginnings<ExtensionActivity> = {
  idle: IDLE,
  begun: { ...IDLE, phase: "checking" },
};

const SHORT_CHARACTERS = 200;

export async function readExtensionsStatus(paths: NodePaths, activity: ExtensionActivity): Promise<ExtensionsStatus> {
  const [bootId, { merged, setAside, missing }, { failures }, lastError] = await Promise.all([
    readFile(paths.bootId, "utf8"),
    readMergeRecord(paths.extensions),
    readComponentStates(paths.extensions),
    readLastError(paths.extensions.runtime),
  ]);
  return withinLimit({
    schema: EXTENSIONS_STATUS_SCHEMA,
    bootId: bootId.trim(),
    ...activity,
    merged: merged.map(({ kind, name, version, rootHash, until }) => ({ kind, name, version, rootHash, until })),
    setAside,
    missing,
    lastError: activity.phase === "idle" ? lastError : null,
    failures,
  });
}

/** Whoever asks reads no more than so much. */
function withinLimit(status: ExtensionsStatus): ExtensionsStatus {
  if (Buffer.byteLength(JSON.stringify(status)) <= MAX_EXTENSIONS_STATUS_BYTES) return status;
  const setAside = status.setAside.map((each) => ({ ...each, reason: each.reason.slice(0, SHORT_CHARACTERS) }));
  const failures = status.failures.map((each) => ({ ...each, message: each.message.slice(0, SHORT_CHARACTERS) }));
  return { ...status, setAside, failures };
}

type LastError = NonNullable<ExtensionsStatus["lastError"]>;

export async function writeLastError(runtime: string, error: LastError | null): Promise<void> {
  await (error === null ? removeStateFile(lastErrorFile(runtime)) : writeStateFile(lastErrorFile(runtime), error));
}

async function readLastError(runtime: string): Promise<LastError | null> {
  const { code, message, hint } = membersOf(await readStateFile(lastErrorFile(runtime)));
  if (typeof code !== "string" || typeof message !== "string") return null;
  return { code, message, ...(typeof hint === "string" ? { hint } : {}) };
}

function lastErrorFile(runtime: string): string {
  return join(runtime, "last-error.json");
}
