import { membersOf } from "@ashlar/base";
import { join } from "node:path";
import type { BootEntry } from "@ashlar/formats";
import { withLock } from "@ashlar/host";
import type { ReleaseFailure } from "@ashlar/protocol";
import { triesOf } from "../slots/boot-entries.ts";
import { readStateFile, writeStateFile } from "../shared/state-file.ts";

const MAX_FAILURES = 16;
const MAX_MESSAGE_CHARACTERS = 2000;
const LOCK_WAIT_MS = 10_000;

/** Which releases were tried on this node and given up, the newest first. */
export async function readFailures(state: string): Promise<ReleaseFailure[]> {
  const { failures } = membersOf(await readStateFile(fileIn(state)));
  return Array.isArray(failures) ? failures.flatMap((each: unknown) => toFailure(each)).slice(0, MAX_FAILURES) : [];
}

/** On the disk when this returns: what follows may be a reboot. */
export async function recordFailure(state: string, failure: ReleaseFailure): Promise<void> {
  await changeFailures(state, (known) => [limited(failure), ...known]);
}

/** The same for what is found out afterwards, by more than one process: once is enough. */
export async function recordFallback(state: string, failure: ReleaseFailure): Promise<void> {
  await changeFailures(state, (known) =>
    known.some(({ version }) => version === failure.version) ? known : [limited(failure), ...known],
  );
}

function limited(failure: ReleaseFailure): ReleaseFailure {
  return { ...failure, message: failure.message.slice(0, MAX_MESSAGE_CHARACTERS) };
}

/** After this the release counts as new: it was found healthy, or somebody wants it tried again. */
export async function forgetFailures(state: string, version: string): Promise<void> {
  if (!(await readFailures(state)).some((failure) => failure.version === version)) return;
  await changeFailures(state, (known) => known.filter((failure) => failure.version !== version));
}

/**
 * Releases that were given up without a record: entries without tries that do not run. What has no try behind it was
 * rolled back by an operator, so that systemd-boot passes it over.
 */
export function findUnrecorded(
  entries: readonly BootEntry[],
  runningVersion: string,
  failures: readonly ReleaseFailure[],
): { readonly version: string; readonly cause: "failed" | "rolled-back" }[] {
  return entries.flatMap((entry) => {
    const tries = triesOf(entry);
    const { version } = entry;
    if (tries === undefined || tries.left > 0 || version === runningVersion) return [];
    if (failures.some((failure) => failure.version === version)) return [];
    return [{ version, cause: tries.done > 0 ? "failed" : "rolled-back" } as const];
  });
}

async function changeFailures(
  state: string,
  change: (known: readonly ReleaseFailure[]) => readonly ReleaseFailure[],
): Promise<void> {
  const path = fileIn(state);
  await withLock(`${path}.lock`, { what: path, holder: "ashlar agent", waitMs: LOCK_WAIT_MS }, async () => {
    const failures = change(await readFailures(state)).slice(0, MAX_FAILURES);
    await writeStateFile(path, { failures });
  });
}

function fileIn(state: string): string {
  return join(state, "failures.json");
}

function toFailure(value: unknown): ReleaseFailure[] {
  const { version, bootId, at, check, message } = membersOf(value);
  const isText = (each: unknown): each is string => typeof each === "string" && each.length <= MAX_MESSAGE_CHARACTERS;
  if (!isText(version) || !isText(at) || !isText(check) || !isText(message)) return [];
  return [{ version, bootId: isText(bootId) ? bootId : null, at, check, message }];
}
