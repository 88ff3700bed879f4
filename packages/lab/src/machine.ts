import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import {
  endProcesses,
  findProcesses,
  isPortFree,
  runtimeDirectory,
  startDaemon,
  waitForEnd,
  withLock,
  type FoundProcess,
} from "@ashlar/host";
import { AGENT_PORT, SSH_PORT } from "./agent-probe.ts";
import { allocatePorts } from "./allocate-ports.ts";
import { KUBELET_PORT, nodeCardAddress, SERVICE_NODE_PORT } from "./cluster/addresses.ts";
import { clusterPaths } from "./cluster/cluster-paths.ts";
import { startClusterServers, startControlPlane } from "./cluster/control-plane.ts";
import { ConsoleFollower } from "./console-log.ts";
import { startLabNames, stopLabNames } from "./name-server/start.ts";
import { nodePaths, type LabPaths, type NodePaths } from "./lab-paths.ts";
import { portsOfAllLabs, writeLabState, type LabState, type NodeState } from "./lab-state.ts";
import { provisioningEnvelope } from "./provisioning-envelope.ts";
import { qemuArguments, type LabCard } from "./qemu-arguments.ts";
import { machineStatus } from "./qmp.ts";
import { startRepositoryServer, stopRepositoryServer } from "./repository-server.ts";
import { startTpm } from "./tpm.ts";
import { FIRMWARE_PATH, QEMU, requireTools, SECURE_BOOT_FIRMWARE_PATH } from "./tools.ts";

const START_TIMEOUT_MS = 30_000;
/** Choosing takes milliseconds; on a computer that hardly gets to anything it may take its time. */
const PORT_LOCK_WAIT_MS = 600_000;
const KILL_GRACE_MS = 3000;
/** How long nothing new may be seen of a shutdown: longer than systemd waits for one unit (os/usr/lib/systemd/system.conf.d). */
const SHUT_DOWN_SILENCE_MS = 120_000;
const PROGRAMS: ReadonlySet<string> = new Set([QEMU, "swtpm", "swtpm_setup", "swtpm_localca"]);

export type PowerOnOptions = {
  /** Gives the machine no config this time. */
  readonly withoutConfig?: boolean | undefined;
  /** What its clock says then. */
  readonly clock?: Date | undefined;
} & Waiting;

/** Of who may have to wait for another lab. */
type Waiting = {
  readonly say: (message: string) => void;
  readonly signal: AbortSignal | undefined;
};

/**
 * Powers a machine on and gives the lab's state, in which its ports may have changed. Resolves when QEMU runs.
 *
 * No two labs of a user can be given one port: each writes down what it has chosen before another one chooses. What a
 * stopped machine had is kept for it unless another program has taken it.
 */
export async function powerOn(
  paths: LabPaths,
  state: LabState,
  nodeName: string,
  options: PowerOnOptions,
): Promise<LabState> {
  const node = nodePaths(paths, nodeName);
  await endProcesses(await machineProcesses(paths, nodeName), KILL_GRACE_MS);
  await prepareRun(paths, node, options);
  const newState = await withPortsLocked(paths, options, async () => {
    const chosen = await withFreePorts(state, nodeName);
    await writeLabState(paths, chosen);
    return chosen;
  });
  try {
    await startLabNames(paths, newState);
    await startRepositoryServer(paths, newState);
    if (newState.cluster !== undefined) {
      await startClusterServers(paths, newState.cluster);
      await startControlPlane(paths, newState.cluster, { signal: options.signal });
    }
    await startTpm(node);
    await startQemu(paths, newState, nodeName, options);
  } catch (error) {
    await endProcesses(await machineProcesses(paths, nodeName), KILL_GRACE_MS);
    throw error;
  }
  return newState;
}

/** Does `work`, at whose end the ports that it has chosen are written down, while no other lab chooses any. */
export async function withPortsLocked<T>(
  paths: LabPaths,
  { say, signal }: Waiting,
  work: () => Promise<T>,
): Promise<T> {
  const what = "the choice of ports for labs";
  const options = { what, holder: `lab ${paths.name}`, waitMs: PORT_LOCK_WAIT_MS, onWait: say, signal };
  return await withLock(join(runtimeDirectory(), "ports.lock"), options, work);
}

/** Cuts a machine's power. With the last machine of a lab its repository and its names are no longer served. */
export async function powerOff(paths: LabPaths, nodeName: string): Promise<void> {
  await endProcesses(await machineProcesses(paths, nodeName), KILL_GRACE_MS);
  if ((await machineProcesses(paths)).length > 0) return;
  await stopRepositoryServer(paths);
  await stopLabNames(paths);
}

/** Waits until a machine that was asked to shut down is off. When it gets no further, its power is cut. */
export async function waitUntilOff(
  paths: LabPaths,
  nodeName: string,
  silenceMs: number = SHUT_DOWN_SILENCE_MS,
): Promise<void> {
  const qemu = await findMachine(paths, nodeName);
  if (qemu !== undefined) await waitForShutdown(qemu, nodePaths(paths, nodeName).console, silenceMs);
  await powerOff(paths, nodeName);
}

async function waitForShutdown(qemu: FoundProcess, console: string, silenceMs: number): Promise<void> {
  const log = new ConsoleFollower(console);
  const { boots } = await log.readAll();
  for (let seen = log.news; !(await waitForEnd(qemu, silenceMs)); seen = log.news) {
    const now = await log.readAll();
    // One that a watchdog has started again would not end by itself.
    if (log.news === seen || now.boots > boots) return;
  }
}

/** The QEMU process of a machine, or undefined when it is off. */
export async function findMachine(paths: LabPaths, nodeName: string): Promise<FoundProcess | undefined> {
  return (await machineProcesses(paths, nodeName)).find(({ argv }) => basename(argv[0] ?? "") === QEMU);
}

/**
 * All processes of a machine, or of a whole lab. They are known by the lab's directories among their arguments, which no
 * other lab has: there are no process ids on disk that could be out of date after a crash.
 */
export async function machineProcesses(paths: LabPaths, nodeName?: string): Promise<FoundProcess[]> {
  const marks =
    nodeName === undefined
      ? [`${paths.runtime}/`, `${paths.directory}/`]
      : [`${paths.runtime}/${nodeName}.`, `${paths.directory}/${nodeName}/`];
  return await findProcesses(
    (argv) => PROGRAMS.has(basename(argv[0] ?? "")) && argv.some((text) => marks.some((mark) => text.includes(mark))),
  );
}

async function prepareRun(
  paths: LabPaths,
  node: NodePaths,
  { withoutConfig }: Pick<PowerOnOptions, "withoutConfig">,
): Promise<void> {
  await mkdir(paths.runtime, { recursive: true, mode: 0o700 });
  await Promise.all([node.monitorSocket, node.consoleSocket, node.tpmSocket].map((path) => rm(path, { force: true })));
  await rename(node.console, node.previousConsole).catch(() => undefined);
  if (withoutConfig === true) return;
  const [nodeConfig, classConfig] = await Promise.all([readFile(node.nodeConfig), readFile(node.classConfig)]);
  await writeFile(node.provisioning, provisioningEnvelope({ nodeConfig, classConfig }), { mode: 0o600 });
}

async function withFreePorts(state: LabState, nodeName: string): Promise<LabState> {
  const nodes: NodeState[] = [];
  for (const node of state.nodes) nodes.push(node.name === nodeName ? await withPortsOfItsOwn(node) : node);
  return { ...state, nodes };
}

async function withPortsOfItsOwn(node: NodeState): Promise<NodeState> {
  const names = (["sshPort", "agentPort", "kubeletPort", "servicePort"] as const).filter((name) => name in node);
  const ports = names.map((name) => node[name]).filter((each) => each !== undefined);
  const areFree = await Promise.all(ports.map(isPortFree));
  if (areFree.every(Boolean)) return node;
  const chosen = await allocatePorts(names.length, await portsOfAllLabs(), isPortFree);
  return { ...node, ...Object.fromEntries(names.map((name, index) => [name, chosen[index]])) };
}

async function startQemu(
  lab: LabPaths,
  state: LabState,
  nodeName: string,
  { withoutConfig, clock }: Pick<PowerOnOptions, "withoutConfig" | "clock">,
): Promise<void> {
  const node = findNode(state, nodeName);
  const paths = nodePaths(lab, nodeName);
  const args = qemuArguments({
    name: `${state.name}/${nodeName}`,
    uuid: node.uuid,
    accelerator: state.accelerator,
    processors: state.processors,
    memoryMiB: state.memoryMiB,
    firmwarePath: state.secureBoot === true ? SECURE_BOOT_FIRMWARE_PATH : FIRMWARE_PATH,
    secureBoot: state.secureBoot === true,
    firmwareVariablesPath: paths.firmwareVariables,
    diskPath: paths.disk,
    tpmSocketPath: paths.tpmSocket,
    monitorSocketPath: paths.monitorSocket,
    consoleSocketPath: paths.consoleSocket,
    consolePath: paths.console,
    provisioningPath: withoutConfig === true ? undefined : paths.provisioning,
    clock,
    labCard: state.cluster === undefined ? undefined : await labCardOf(lab, nodeName),
    forwards: [
      { hostPort: node.sshPort, guestPort: SSH_PORT },
      { hostPort: node.agentPort, guestPort: AGENT_PORT },
      ...(node.kubeletPort === undefined ? [] : [{ hostPort: node.kubeletPort, guestPort: KUBELET_PORT }]),
      ...(node.servicePort === undefined ? [] : [{ hostPort: node.servicePort, guestPort: SERVICE_NODE_PORT }]),
    ],
  });
  const isReady = async (): Promise<boolean> => {
    const status = await machineStatus(paths.monitorSocket).catch(() => undefined);
    return status !== undefined;
  };
  await startDaemon(QEMU, args, { logPath: paths.qemuLog, isReady, timeoutMs: START_TIMEOUT_MS });
}

async function labCardOf(lab: LabPaths, nodeName: string): Promise<LabCard> {
  const { switchSocket } = clusterPaths(lab);
  return { socketPath: switchSocket, address: nodeCardAddress(nodeName), qemuVersion: await requireTools() };
}

/** @throws AshlarError `not-found` when the lab has no such node. */
export function findNode(state: LabState, nodeName: string): NodeState {
  const node = state.nodes.find(({ name }) => name === nodeName);
  if (node === undefined) {
    const names = state.nodes.map(({ name }) => name).join(", ");
    throw new AshlarError("not-found", `lab ${state.name} has no node ${nodeName}; it has ${names}`);
  }
  return node;
}
