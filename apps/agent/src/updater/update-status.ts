import { membersOf } from "@ashlar/base";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { chooseBootEntry } from "@ashlar/formats";
import { MAX_UPDATE_STATUS_BYTES, UPDATE_STATUS_SCHEMA, type UpdateStatus } from "@ashlar/protocol";
import { listBootEntries } from "../slots/boot-entries.ts";
import { readFailures } from "../boot/failures.ts";
import { readLoaderStatus } from "../boot/loader/loader-notes.ts";
import { readHealth } from "../boot/health/run-health.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { readRunningSystem } from "../shared/running-system.ts";
import { readStateFile, removeStateFile, writeStateFile } from "../shared/state-file.ts";
import { isOnTrial } from "../boot/trial.ts";
import { type Activity, IDLE } from "./activity.ts";
import type { Beginnings } from "./order-book.ts";
import { readUpdateNotes } from "./update-notes.ts";

export const UPDATE_BEGINNINGS: Beginnings<Activity> = { idle: IDLE, begun: { ...IDLE, phase: "checking" } };

/** Everything but the activity comes from the disk, so that it holds after a restart too. */
export async function readUpdateStatus(paths: NodePaths, activity: Activity): Promise<UpdateStatus> {
  const [running, trial, entries, health, failures, lastError, { minimumVersion }, bootLoader, ownStatePartition] =
    await Promise.all([
      readRunningSystem(paths),
      isOnTrial(paths),
      listBootEntries(paths.esp),
      readHealth(paths),
      readFailures(paths.state),
      readLastError(paths),
      readUpdateNotes(paths.state),
      readLoaderStatus(paths),
      hasOwnStatePartition(paths),
    ]);
  const next = chooseBootEntry(entries)?.version;
  const staged = next === undefined || next === running.version ? null : next;
  return withinLimit({
    schema: UPDATE_STATUS_SCHEMA,
    version: running.version,
    bootId: running.bootId,
    trial,
    ...activity,
    staged,
    rebootNeeded: staged !== null,
    minimumVersion,
    lastError: activity.phase === "idle" ? lastError : null,
    health,
    bootLoader,
    ownStatePartition,
    failures,
  });
}

/** The initrd mounts the partition at the directory that `state` is in. */
async function hasOwnStatePartition({ workloads, state }: Pick<NodePaths, "workloads" | "state">): Promise<boolean> {
  const [shared, own] = await Promise.all([stat(workloads), stat(dirname(state))]);
  return shared.dev !== own.dev;
}

const SHORT_CHARACTERS = 200;

/** Whoever asks reads no more than so much: when every check of a node has much to say, each is cut short. */
export function withinLimit(status: UpdateStatus): UpdateStatus {
  if (Buffer.byteLength(JSON.stringify(status)) <= MAX_UPDATE_STATUS_BYTES) return status;
  const shorten = <Entry extends { readonly message: string }>(entry: Entry): Entry => ({
    ...entry,
    message: entry.message.slice(0, SHORT_CHARACTERS),
  });
  const { health, failures } = status;
  return {
    ...status,
    health: health === null ? null : { ...health, checks: health.checks.map(shorten) },
    failures: failures.map(shorten),
  };
}

export type LastError = NonNullable<UpdateStatus["lastError"]>;

/** In memory: a full /var is one of the reasons. */
export async function writeLastError(paths: Pick<NodePaths, "runtime">, error: LastError | null): Promise<void> {
  const path = lastErrorFile(paths);
  await (error === null ? removeStateFile(path) : writeStateFile(path, error));
}

async function readLastError(paths: Pick<NodePaths, "runtime">): Promise<LastError | null> {
  const { code, message, hint } = membersOf(await readStateFile(lastErrorFile(paths)));
  if (typeof code !== "string" || typeof message !== "string") return null;
  return { code, message, ...(typeof hint === "string" ? { hint } : {}) };
}

function lastErrorFile({ runtime }: Pick<NodePaths, "runtime">): string {
  return join(runtime, "last-error.json");
}
