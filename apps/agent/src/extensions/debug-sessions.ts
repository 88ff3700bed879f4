import { membersOf } from "@ashlar/base";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "@ashlar/host";
import type { ExtensionPaths } from "../shared/node-paths.ts";
import { readStateFile, removeStateFile, writeStateFile } from "../shared/state-file.ts";

/** An undeclared extension that is merged for a while. It is known in /run only: a reboot ends it. */
export type DebugSession = {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** RFC 3339. */
  readonly until: string;
};

/** Those that are not over. */
export async function readDebugSessions(
  paths: Pick<ExtensionPaths, "runtime">,
  nowMs: number,
): Promise<DebugSession[]> {
  const names = await readdir(directoryIn(paths)).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const sessions: DebugSession[] = [];
  for (const fileName of names.filter((each) => each.endsWith(".json")).toSorted()) {
    const { name, version, path, until } = membersOf(await readStateFile(join(directoryIn(paths), fileName)));
    const isWhole = [name, version, path, until].every((value) => typeof value === "string");
    if (!isWhole || Date.parse(String(until)) <= nowMs) continue;
    sessions.push({ name: String(name), version: String(version), path: String(path), until: String(until) });
  }
  return sessions;
}

export async function writeDebugSession(paths: Pick<ExtensionPaths, "runtime">, session: DebugSession): Promise<void> {
  await writeStateFile(debugFile(paths, session.name), session);
}

export async function removeDebugSession(paths: Pick<ExtensionPaths, "runtime">, name: string): Promise<void> {
  await removeStateFile(debugFile(paths, name));
}

/** Those of sessions that have ended, by their time or by a reboot. */
export async function removeEndedDebugImages(paths: Pick<ExtensionPaths, "runtime" | "state">): Promise<void> {
  const current = new Set((await readDebugSessions(paths, Date.now())).map(({ name }) => name));
  const directory = join(paths.state, "debug");
  for (const name of await readdir(directory).catch(() => [])) {
    if (!current.has(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Its presence is the session: whoever ends it removes the file. */
export function debugFile(paths: Pick<ExtensionPaths, "runtime">, name: string): string {
  return join(directoryIn(paths), `${name}.json`);
}

function directoryIn({ runtime }: Pick<ExtensionPaths, "runtime">): string {
  return join(runtime, "debug");
}
