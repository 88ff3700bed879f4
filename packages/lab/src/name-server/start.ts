import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { endProcesses, startDaemon } from "@ashlar/host";
import type { LabPaths } from "../lab-paths.ts";
import { accepts, markedProcesses, markOf, requireFreePort } from "../lab-server.ts";
import type { LabState } from "../lab-state.ts";

const START_TIMEOUT_MS = 60_000;
const GRACE_MS = 3000;
const PROGRAM: string = fileURLToPath(new URL("main.ts", import.meta.url));

/**
 * Starts the lab's name server, if it has one and it does not run.
 *
 * @throws AshlarError `conflict` when another program has taken the port, `failed` when the server does not start.
 */
export async function startLabNames(paths: LabPaths, { namePort }: LabState): Promise<void> {
  const mark = namesMark(paths);
  if (namePort === undefined || (await markedProcesses(mark)).length > 0) return;
  await requireFreePort(namePort, `the name server of lab ${paths.name}`);
  await startDaemon(process.execPath, [mark, PROGRAM, String(namePort)], {
    logPath: join(paths.directory, "name-server.log"),
    // It listens for datagrams before it takes connections.
    isReady: async () => accepts({ port: namePort }),
    timeoutMs: START_TIMEOUT_MS,
  });
}

export async function stopLabNames(paths: LabPaths): Promise<void> {
  await endProcesses(await markedProcesses(namesMark(paths)), GRACE_MS);
}

function namesMark(paths: LabPaths): string {
  return markOf(join(paths.directory, "names"));
}
