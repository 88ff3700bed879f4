import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { NodePaths } from "../shared/node-paths.ts";
import { syncDirectory } from "../shared/state-file.ts";

type State = Pick<NodePaths, "state">;

/** Where a release is collected. */
export function workDirectory({ state }: State): string {
  return join(state, "work");
}

/** Where systemd-sysupdate finds a whole release, and nothing else (see os/usr/lib/sysupdate.d). */
export function readyDirectory({ state }: State): string {
  return join(state, "ready");
}

/** Begins to collect: what an interrupted update left is used again. */
export async function beginWork(paths: State): Promise<void> {
  const [work, ready] = [workDirectory(paths), readyDirectory(paths)];
  if (existsSync(ready)) {
    await rm(work, { recursive: true, force: true });
    await rename(ready, work);
  }
  await mkdir(work, { recursive: true, mode: 0o700 });
  await syncDirectory(paths.state);
}

/** All at once: systemd-sysupdate never sees a part of a release. */
export async function finishWork(paths: State): Promise<void> {
  await rename(workDirectory(paths), readyDirectory(paths));
  await syncDirectory(paths.state);
}

/** After the release is in its slot. */
export async function removeReady(paths: State): Promise<void> {
  await rm(readyDirectory(paths), { recursive: true, force: true });
}

/** The power went after the release was in its slot: it runs now. */
export async function removeInstalled(paths: State, runningVersion: string): Promise<void> {
  if (existsSync(join(readyDirectory(paths), `ashlar_${runningVersion}.efi`))) await removeReady(paths);
}
