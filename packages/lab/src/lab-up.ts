import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { PcrBank } from "@ashlar/protocol";
import { isPortFree, run, throwIfInterrupted } from "@ashlar/host";
import { chooseAccelerator } from "./accelerator.ts";
import { allocatePorts } from "./allocate-ports.ts";
import { checkCluster, prepareJoining, startCluster, type LabCluster } from "./cluster/start-cluster.ts";
import type { ClusterMembership } from "./cluster/node-part.ts";
import { waitForMembers } from "./cluster/wait-for-members.ts";
import { openLab, type Lab } from "./lab.ts";
import { removeLab } from "./lab-down.ts";
import { withLab } from "./lab-lock.ts";
import { labPaths, nodePaths, type LabPaths, type NodePaths } from "./lab-paths.ts";
import { portsOfAllLabs, writeLabState, type LabState, type NodeState } from "./lab-state.ts";
import { powerOn, withPortsLocked } from "./machine.ts";
import { startLabNames } from "./name-server/start.ts";
import { makeOperatorKey } from "./operator-key.ts";
import { labNodeConfig, type LabUpdates } from "./provisioning-envelope.ts";
import type { Accelerator } from "./qemu-arguments.ts";
import { repositoryUrl, startRepositoryServer } from "./repository-server.ts";
import { FIRMWARE_VARIABLES_PATH, requireTools } from "./tools.ts";
import { manufactureTpm, writeEkRoots } from "./tpm.ts";
import { bootTimeoutMs, waitForNode, type NodeProgress } from "./wait-for-node.ts";

export type LabConfig = {
  /** The Ignition JSON that all nodes share. */
  readonly classConfig: Uint8Array;
};

/** Releases that the lab serves to its nodes, and orders them to take from there. */
export type LabRepository = {
  readonly directory: string;
  /** TUF root metadata that the nodes trust. Default: what is in the image. */
  readonly trustedRoot?: Uint8Array | undefined;
  /** A Node.js program with its first arguments, which serves `--repo DIRECTORY` on `--port PORT` of 127.0.0.1. */
  readonly command: readonly string[];
};

export type LabUpOptions = {
  readonly name: string;
  /** How many nodes: 1 to 16. They are called node-1, node-2, ... */
  readonly nodes: number;
  /** The directory with disk.raw and manifest.json. */
  readonly image: string;
  readonly config: LabConfig;
  readonly repository?: LabRepository | undefined;
  /** A cluster that the nodes join, when their class does so: `kubeadm join --config /etc/kubernetes/join.yaml`. */
  readonly cluster?: LabCluster | undefined;
  readonly onProgress?: ((progress: LabProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: KVM where it works. */
  readonly accelerator?: Accelerator | undefined;
  readonly processors?: number | undefined;
  readonly memoryMiB?: number | undefined;
  /** The PCR banks of the nodes' TPMs that are on. Default: SHA-256 alone. */
  readonly pcrBanks?: readonly PcrBank[] | undefined;
  /** For each node. Default: generous. */
  readonly timeoutMs?: number | undefined;
};

/** A line about the lab as a whole, or how far one node has come. */
export type LabProgress = { readonly message: string } | NodeProgress;

const MAX_NODES = 16;
const DEFAULT_PROCESSORS = 2;
const DEFAULT_MEMORY_MIB = 2048;
const DISK_BYTES = 8 * 1024 ** 3;

/**
 * Makes a lab and resolves when all its nodes answer and, when it has a cluster, are ready in it.
 *
 * When it is interrupted, or fails before the machines run, it leaves nothing. When a node does not come up, the lab
 * stays as it is, to be looked at.
 *
 * @throws AshlarError `conflict` when the lab exists, `unavailable` when a node does not come up or does not join.
 */
export async function labUp(options: LabUpOptions): Promise<Lab> {
  const paths = labPaths(options.name);
  checkOptions(options);
  return await withLab(paths, "up", async () => {
    if (existsSync(paths.directory)) {
      throw new AshlarError("conflict", `the lab ${options.name} exists already`, {
        hint: `remove it with \`ashlar lab down --name ${options.name}\`, or choose another --name`,
      });
    }
    // What is left of a lab whose directory was removed by hand.
    await removeLab(paths);
    let state: LabState | undefined;
    try {
      state = await startLab(paths, options);
      await waitForAll(paths, state, options);
      await waitForCluster(paths, state, options);
    } catch (error) {
      if (state === undefined || options.signal?.aborted === true) await removeLab(paths);
      // Whatever an interrupted step has thrown is a consequence of the interruption.
      throwIfInterrupted(options.signal);
      throw error;
    }
    return await openLab(options.name);
  });
}

async function startLab(paths: LabPaths, options: LabUpOptions): Promise<LabState> {
  const say = (message: string): void => options.onProgress?.({ message });
  const qemuVersion = await requireTools();
  const choice =
    options.accelerator === undefined
      ? await chooseAccelerator(qemuVersion.join("."), options.signal)
      : { accelerator: options.accelerator, reason: "as asked for" };
  say(
    `QEMU ${qemuVersion.join(".")} with ${choice.accelerator === "kvm" ? "KVM" : "emulation (TCG)"}: ${choice.reason}`,
  );
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  await copyFile(join(options.image, "manifest.json"), paths.manifest);
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `lab-${paths.name}`, "-f", paths.sshKey]);
  const sshPublicKey = (await readFile(`${paths.sshKey}.pub`, "utf8")).trim();
  const operatorPin = await makeOperatorKey(paths.operatorKey);
  const started = await withPortsLocked(paths, async () => startServers(paths, options, choice.accelerator, say));
  let { state } = started;
  const { membership } = started;
  const updates = await prepareUpdates(paths, state, operatorPin, options.repository?.trustedRoot);
  if (state.cluster !== undefined && membership !== undefined) {
    await prepareJoining(paths, state.cluster, membership, say, options.signal);
  }
  for (const { name } of state.nodes) {
    throwIfInterrupted(options.signal);
    say(`${name}: making its disk and its TPM`);
    await makeNode(
      paths,
      name,
      options,
      labNodeConfig(name, sshPublicKey, { updates, cluster: membership, namePort: state.namePort }),
    );
  }
  await writeEkRoots(paths);
  await writeLabState(paths, state);
  for (const { name } of state.nodes) {
    throwIfInterrupted(options.signal);
    state = await powerOn(paths, state, name);
  }
  return state;
}

type Started = { readonly state: LabState; readonly membership: ClusterMembership | undefined };

/** What listens on ports of the lab's own: they are taken when this resolves. */
async function startServers(
  paths: LabPaths,
  options: LabUpOptions,
  accelerator: Accelerator,
  say: (message: string) => void,
): Promise<Started> {
  const state = await planLab(options, accelerator);
  await startLabNames(paths, state);
  await startRepositoryServer(paths, state);
  const membership =
    state.cluster === undefined ? undefined : await startCluster(paths, state.cluster, say, options.signal);
  return { state, membership };
}

async function prepareUpdates(
  paths: LabPaths,
  { repository }: LabState,
  operatorPin: string,
  releaseRoot: Uint8Array | undefined,
): Promise<LabUpdates | undefined> {
  if (releaseRoot !== undefined) await writeFile(paths.releaseRoot, releaseRoot);
  return repository === undefined
    ? undefined
    : { repositoryUrl: repositoryUrl(repository.port), operatorPin, releaseRoot };
}

async function planLab(options: LabUpOptions, accelerator: Accelerator): Promise<LabState> {
  const { repository, cluster } = options;
  const version = cluster === undefined ? undefined : await checkCluster(cluster);
  const perNode = cluster === undefined ? 2 : 4;
  const count = 1 + perNode * options.nodes + (repository === undefined ? 0 : 1) + (cluster === undefined ? 0 : 2);
  const ports = await allocatePorts(count, await portsOfAllLabs(), isPortFree);
  const take = (): number => ports.shift() ?? 0;
  return {
    schema: "ashlar.lab/v1",
    name: options.name,
    image: resolve(options.image),
    accelerator,
    processors: options.processors ?? DEFAULT_PROCESSORS,
    memoryMiB: options.memoryMiB ?? DEFAULT_MEMORY_MIB,
    nodes: Array.from({ length: options.nodes }, (_, index) => ({
      name: `node-${index + 1}`,
      uuid: randomUUID(),
      sshPort: take(),
      agentPort: take(),
      ...(cluster === undefined ? {} : { kubeletPort: take(), servicePort: take() }),
    })),
    namePort: take(),
    ...(repository === undefined
      ? {}
      : { repository: { directory: resolve(repository.directory), port: take(), command: repository.command } }),
    ...(cluster === undefined || version === undefined
      ? {}
      : {
          cluster: { programs: cluster.programs, images: cluster.images, version, apiPort: take(), imagePort: take() },
        }),
  };
}

async function makeNode(paths: LabPaths, nodeName: string, options: LabUpOptions, nodeConfig: string): Promise<void> {
  const node = nodePaths(paths, nodeName);
  await mkdir(node.directory, { mode: 0o700 });
  await copyFile(FIRMWARE_VARIABLES_PATH, node.firmwareVariables);
  await writeFile(node.classConfig, options.config.classConfig, { mode: 0o600 });
  await writeFile(node.nodeConfig, nodeConfig, { mode: 0o600 });
  await makeDisk(join(options.image, "disk.raw"), node, options.signal);
  await manufactureTpm(paths, node, nodeName, options.pcrBanks ?? ["sha256"]);
}

/** A copy that shares blocks where the file system can, and has holes; the node's first boot grows its /var into it. */
async function makeDisk(image: string, node: NodePaths, signal: AbortSignal | undefined): Promise<void> {
  await run(
    "cp",
    ["--reflink=auto", "--sparse=always", "--", image, node.disk],
    signal === undefined ? {} : { signal },
  );
  const { size } = await stat(node.disk);
  await truncate(node.disk, Math.max(size, DISK_BYTES));
}

/** Waits for all nodes, or for the first that does not come up. */
async function waitForAll(paths: LabPaths, state: LabState, options: LabUpOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const timeoutMs = options.timeoutMs ?? bootTimeoutMs(state, state.nodes.length);
  const waitFor = async (node: NodeState): Promise<void> => {
    try {
      await waitForNode(paths, node, { timeoutMs, onProgress: options.onProgress, signal });
    } catch (error) {
      failed.abort();
      throw error;
    }
  };
  await Promise.all(state.nodes.map(waitFor));
}

async function waitForCluster(paths: LabPaths, state: LabState, options: LabUpOptions): Promise<void> {
  if (state.cluster === undefined) return;
  const names = state.nodes.map(({ name }) => name);
  const say = (message: string): void => options.onProgress?.({ message });
  const timeoutMs = options.timeoutMs ?? JOIN_TIMEOUT_MS;
  await waitForMembers(paths, state.cluster, names, { say, timeoutMs, signal: options.signal });
}

/** An emulated node that fetches its extensions shows nothing for minutes. */
const JOIN_TIMEOUT_MS = 900_000;

function checkOptions(options: LabUpOptions): void {
  if (!Number.isInteger(options.nodes) || options.nodes < 1 || options.nodes > MAX_NODES) {
    throw new AshlarError("usage", `expected 1 to ${MAX_NODES} nodes, found ${options.nodes}`);
  }
  for (const file of ["disk.raw", "manifest.json"]) {
    if (!existsSync(join(options.image, file))) {
      throw new AshlarError("not-found", `expected an image in ${options.image}, but it has no ${file}`, {
        hint: "make one with `ashlar image build --out DIR`",
      });
    }
  }
}
