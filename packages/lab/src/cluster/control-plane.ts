/** The processes of a lab's cluster. They live as long as the lab, and are found by its directory in their arguments. */
import { join, basename } from "node:path";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { endProcesses, findProcesses, readTail, startDaemon, type FoundProcess } from "@ashlar/host";
import type { LabPaths } from "../lab-paths.ts";
import { accepts, markedProcesses, markOf, requireFreePort } from "../lab-server.ts";
import { isApiServerReady } from "./api-server.ts";
import { clusterPaths, type ClusterPaths } from "./cluster-paths.ts";
import { CONTROL_PLANE_PROGRAMS, type ClusterState, type ControlPlaneProgram } from "./cluster-state.ts";
import { controlPlaneArguments } from "./control-plane-arguments.ts";

/** A program that ends is seen at once; this ends the wait for one that hangs. */
const START_TIMEOUT_MS = 600_000;
const READY_TIMEOUT_MS = 10_000;
const GRACE_MS = 10_000;
const SHOWN_LOG_BYTES = 2000;
const SERVERS_PROGRAM: string = fileURLToPath(new URL("servers-main.ts", import.meta.url));

/**
 * Starts the lab's servers for images, for the network between the machines and for the way to kubelets, if they do not
 * run.
 *
 * @throws AshlarError `conflict` when another program has taken the port
 */
export async function startClusterServers(lab: LabPaths, state: ClusterState): Promise<void> {
  const paths = clusterPaths(lab);
  const mark = markOf(paths.directory);
  if ((await markedProcesses(mark)).length > 0) return;
  await requireFreePort(state.imagePort, `the images of lab ${lab.name}`);
  await mkdir(lab.runtime, { recursive: true, mode: 0o700 });
  await mkdir(paths.logs, { recursive: true, mode: 0o700 });
  await writeFile(paths.serversConfig, JSON.stringify(state));
  // One that is left from before would look as if they were ready.
  await rm(paths.proxySocket, { force: true });
  await startDaemon(process.execPath, [mark, SERVERS_PROGRAM, lab.name], {
    logPath: join(paths.logs, "servers.log"),
    isReady: async () => existsSync(paths.proxySocket) && (await accepts({ port: state.imagePort })),
    timeoutMs: START_TIMEOUT_MS,
  });
}

type StartControlPlaneOptions = {
  readonly onStart?: (program: ControlPlaneProgram) => void;
  readonly signal?: AbortSignal | undefined;
};

/** Starts what does not run of etcd and the control plane, each when the one before it is ready. */
export async function startControlPlane(
  lab: LabPaths,
  state: ClusterState,
  { onStart, signal }: StartControlPlaneOptions = {},
): Promise<void> {
  const paths = clusterPaths(lab);
  const running = new Set((await controlPlaneProcesses(lab)).map(nameOf));
  for (const program of CONTROL_PLANE_PROGRAMS) {
    if (running.has(program)) continue;
    if (program === "kube-apiserver") await requireFreePort(state.apiPort, `the API server of lab ${lab.name}`);
    onStart?.(program);
    await startDaemon(state.programs[program], controlPlaneArguments(program, paths, state), {
      logPath: logOf(paths, program),
      isReady: async () => isReady(program, paths, state),
      timeoutMs: START_TIMEOUT_MS,
      signal,
    });
  }
}

async function isReady(program: ControlPlaneProgram, paths: ClusterPaths, { apiPort }: ClusterState): Promise<boolean> {
  if (program === "etcd") return await accepts({ path: paths.etcdSocket });
  if (program === "kube-apiserver") return await isApiServerReady(paths, apiPort, READY_TIMEOUT_MS);
  // What these two do is seen in the API when it is needed.
  return true;
}

export async function stopCluster(lab: LabPaths): Promise<void> {
  // From the last to the first: none of them then misses what it works with, and ends in its own time.
  const found = await controlPlaneProcesses(lab);
  for (const program of CONTROL_PLANE_PROGRAMS.toReversed()) {
    await endProcesses(
      found.filter((each) => nameOf(each) === program),
      GRACE_MS,
    );
  }
  await endProcesses(await markedProcesses(markOf(clusterPaths(lab).directory)), GRACE_MS);
}

/** @throws AshlarError `failed` when a program of the control plane has ended; the message holds the end of its log */
export async function requireControlPlane(lab: LabPaths): Promise<void> {
  const running = await runningPrograms(lab);
  const ended = CONTROL_PLANE_PROGRAMS.find((program) => !running.includes(program));
  if (ended === undefined) return;
  const lastWords = await readTail(logOf(clusterPaths(lab), ended), SHOWN_LOG_BYTES);
  throw new AshlarError("failed", `${ended} has ended: ${lastWords.toString("utf8").trim()}`);
}

function logOf(paths: ClusterPaths, program: ControlPlaneProgram): string {
  return join(paths.logs, `${program}.log`);
}

/** Which of the control plane's programs run. */
export async function runningPrograms(lab: LabPaths): Promise<readonly string[]> {
  return (await controlPlaneProcesses(lab)).map(nameOf);
}

async function controlPlaneProcesses(lab: LabPaths): Promise<FoundProcess[]> {
  const names: ReadonlySet<string> = new Set(CONTROL_PLANE_PROGRAMS);
  const mark = `${clusterPaths(lab).directory}/`;
  return await findProcesses(
    ([program = "", ...args]) => names.has(basename(program)) && args.some((text) => text.includes(mark)),
  );
}

function nameOf({ argv }: FoundProcess): string {
  return basename(argv[0] ?? "");
}
