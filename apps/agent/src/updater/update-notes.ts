import { join } from "node:path";
import { AshlarError, membersOf } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import type { NodePaths } from "../shared/node-paths.ts";
import { readStateFile, writeStateFile } from "../shared/state-file.ts";

/** What orders leave behind for later ones. */
export type UpdateNotes = {
  /** The oldest version that this node's channel has allowed: it never goes below, with or without its repository. */
  readonly minimumVersion: string | null;
  /** The version that somebody has ordered by its name last: what the channel has is no reason to take it back. */
  readonly named: string | null;
};

export async function readUpdateNotes(state: string): Promise<UpdateNotes> {
  const { minimumVersion, named } = membersOf(await readStateFile(fileIn(state)));
  return {
    minimumVersion: typeof minimumVersion === "string" ? minimumVersion : null,
    named: typeof named === "string" ? named : null,
  };
}

/** A minimum only ever rises. */
export async function writeUpdateNotes(state: string, change: Partial<UpdateNotes>): Promise<void> {
  const before = await readUpdateNotes(state);
  const minimumVersion = higher(before.minimumVersion, change.minimumVersion ?? null);
  const after = { ...before, ...change, minimumVersion };
  if (after.minimumVersion === before.minimumVersion && after.named === before.named) return;
  await writeStateFile(fileIn(state), after);
}

export async function isBelowMinimum(
  { state }: Pick<NodePaths, "state">,
  version: string | undefined,
): Promise<boolean> {
  const { minimumVersion } = await readUpdateNotes(state);
  return minimumVersion !== null && version !== undefined && compareVersions(version, minimumVersion) < 0;
}

/** @throws AshlarError `invalid` */
export async function refuseBelowMinimum(
  { state }: Pick<NodePaths, "state">,
  version: string,
  running: string,
): Promise<void> {
  const { minimumVersion } = await readUpdateNotes(state);
  if (version === running || !(await isBelowMinimum({ state }, version))) return;
  throw new AshlarError(
    "invalid",
    `release ${version} is below ${minimumVersion}, the oldest that this node's channel allows`,
    {
      hint: "whoever keeps the repository has decided so: there is no way around it",
    },
  );
}

function higher(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareVersions(a, b) >= 0 ? a : b;
}

function fileIn(state: string): string {
  return join(state, "notes.json");
}
