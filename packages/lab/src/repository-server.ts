import { createConnection } from "node:net";
import { AshlarError } from "@ashlar/base";
import { endProcesses, findProcesses, isPortFree, startDaemon, type FoundProcess } from "@ashlar/host";
import { HOST_ADDRESS } from "./cluster/addresses.ts";
import type { LabPaths } from "./lab-paths.ts";
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
  if (repository === undefined || (await serverProcesses(paths)).length > 0) return;
  const { directory, port, command } = repository;
  if (!(await isPortFree(port))) {
    throw new AshlarError("conflict", `expected TCP port ${port} to be free for the repository of lab ${paths.name}`, {
      hint: "end what listens there: the port is part of what the lab's nodes were declared to be",
    });
  }
  const [program = "", ...args] = command;
  const options = ["--repo", directory, "--port", String(port)];
  await startDaemon(program, [markOf(paths), ...args, ...options], {
    logPath: paths.repositoryLog,
    isReady: async () => accepts(port),
    timeoutMs: START_TIMEOUT_MS,
  });
}

export async function stopRepositoryServer(paths: LabPaths): Promise<void> {
  await endProcesses(await serverProcesses(paths), GRACE_MS);
}

/** The server is known by the place that Node.js would write its diagnostic reports to, which no other lab has. */
async function serverProcesses(paths: LabPaths): Promise<FoundProcess[]> {
  const mark = markOf(paths);
  return await findProcesses((argv) => argv[1] === mark);
}

function markOf(paths: LabPaths): string {
  return `--diagnostic-dir=${paths.directory}`;
}

async function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection({ host: "127.0.0.1", port });
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
