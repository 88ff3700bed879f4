import { endProcesses, startDaemon } from "@ashlar/host";
import { HOST_ADDRESS } from "./cluster/addresses.ts";
import type { LabPaths } from "./lab-paths.ts";
import { accepts, markedProcesses, markOf, requireFreePort } from "./lab-server.ts";
import type { LabState } from "./lab-state.ts";

const START_TIMEOUT_MS = 20_000;
const GRACE_MS = 3000;

/** What the lab's machines call their repository. Its port is in their measured configuration: it never changes. */
export function repositoryUrl(port: number): string {
  return `http://${HOST_ADDRESS}:${port}/`;
}

/**
 * Serves the lab's repository, if it has one and it is not being served already.
 *
 * @throws AshlarError `conflict` when another program has taken the port, `failed` when the server does not start.
 */
export async function startRepositoryServer(paths: LabPaths, state: LabState): Promise<void> {
  const { repository } = state;
  const mark = markOf(paths.directory);
  if (repository === undefined || (await markedProcesses(mark)).length > 0) return;
  const { directory, port, command } = repository;
  await requireFreePort(port, `the repository of lab ${paths.name}`);
  const [program = "", ...args] = command;
  const options = ["--repo", directory, "--port", String(port)];
  await startDaemon(program, [mark, ...args, ...options], {
    logPath: paths.repositoryLog,
    isReady: async () => accepts({ port }),
    timeoutMs: START_TIMEOUT_MS,
  });
}

export async function stopRepositoryServer(paths: LabPaths): Promise<void> {
  await endProcesses(await markedProcesses(markOf(paths.directory)), GRACE_MS);
}
