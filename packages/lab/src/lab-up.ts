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
import { waitForMembers } from "./cluster/wait-for-members.ts";
import { openLab, type Lab } from "./lab.ts";
import { removeLab } from "./lab-down.ts";
import { withLab } from "./lab-lock.ts";
import type { LabProgress } from "./lab-progress.ts";
import { labPaths, nodePaths, type LabPaths, type NodePaths } from "./lab-paths.ts";
import { adoptLabPlan, portsOfAllLabs, writeLabPlan, type LabState, type NodeState } from "./lab-state.ts";
import { powerOn, withPortsLocked } from "./machine.ts";
import { startLabNames } from "./name-server/start.ts";
import { makeOperatorKey } from "./operator-key.ts";
import { labNodeConfig, type LabUpdates } from "./provisioning-envelope.ts";
import type { Accelerator } from "./qemu-arguments.ts";
import { repositoryUrl, startRepositoryServer } from "./repository-server.ts";
import { FIRMWARE_VARIABLES_PATH, requireTools } from "./tools.ts";
import { manufactureTpm, writeEkRoots } from "./tpm.ts";
import { bootTimeoutMs, waitForNode } from "./wait-for-node.ts";

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
  /** How many nodes: 1 to 16, or none beside a cluster's control plane. They are called node-1, node-2, ... */
  readonly nodes: number;
  /** The directory with disk.raw and manifest.json. Only a lab without nodes does without. */
  readonly image?: string | undefined;
  /** Likewise. */
  readonly config?: LabConfig | undefined;
  readonly repository?: LabRepository | undefined;
  /** A cluster that the nodes join, when their class does so: `kubeadm join --config /etc/kubernetes/join.yaml`. */
  readonly cluster?: LabCluster | undefined;
  readonly onProgress?: ((progress: LabProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: KVM where it works. */
  readonly accelerator?: Accelerator | undefined;
  readonly processors?: number | undefined;
  readonly memoryMiB?: number | undefined;
  /** Their firmware has Secure Boot, and the image's keys are enrolled at the first boot. Default: no. */
  readonly secureBoot?: boolean | undefined;
  /** The PCR banks of the nodes' TPMs that are on. Default: SHA-256 alone. */
  readonly pcrBanks?: readonly PcrBank[] | undefined;
  /** For each node. Default: generous. */
  readonly timeoutMs?: number | undefined;
};

const MAX_NODES = 16;
const DEFAULT_PROCESSORS = 2;
const DEFAULT_MEMORY_MIB = 2048;
const DISK_BYTES = 12 * 1024 ** 3;

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
  const source = checkOptions(options);
  if (options.secureBoot === true && source !== undefined) await requireSigned(source.image);
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
      state = await startLab(paths, options, source);
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

async function startLab(paths: LabPaths, options: LabUpOptions, source: NodeSource | undefined): Promise<LabState> {
  const say = (message: string): void => options.onProgress?.({ message });
  const accelerator = await acceleratorOf(options, say);
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  if (source !== undefined) await copyFile(join(source.image, "manifest.json"), paths.manifest);
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `lab-${paths.name}`, "-f", paths.sshKey]);
  const sshPublicKey = (await readFile(`${paths.sshKey}.pub`, "utf8")).trim();
  const operatorPin = await makeOperatorKey(paths.operatorKey);
  const version = options.cluster === undefined ? undefined : await checkCluster(options.cluster);
  let state = await withPortsLocked(paths, { say, signal: options.signal }, async () => {
    const planned = await planLab(options, accelerator, version);
    await writeLabPlan(paths, planned);
    return planned;
  });
  await startLabNames(paths, state);
  await startRepositoryServer(paths, state);
  const membership =
    state.cluster === undefined ? undefined : await startCluster(paths, state.cluster, say, options.signal);
  const updates = await prepareUpdates(paths, state, operatorPin, options.repository?.trustedRoot);
  if (state.cluster !== undefined && membership !== undefined) {
    await prepareJoining(paths, state.cluster, membership, say, options.signal);
  }
  if (source !== undefined) {
    for (const { name } of state.nodes) {
      throwIfInterrupted(options.signal);
      say(`${name}: making its disk and its TPM`);
      const nodeConfig = labNodeConfig(name, sshPublicKey, { updates, cluster: membership, namePort: state.namePort });
      await makeNode(paths, name, source, nodeConfig, options);
    }
    await writeEkRoots(paths);
  }
  throwIfInterrupted(options.signal);
  await adoptLabPlan(paths);
  for (const { name } of state.nodes) {
    throwIfInterrupted(options.signal);
    state = await powerOn(paths, state, name, { say, signal: options.signal });
  }
  return state;
}

async function acceleratorOf(
  { accelerator: wanted, signal }: LabUpOptions,
  say: (message: string) => void,
): Promise<Accelerator> {
  const version = (await requireTools()).join(".");
  const { accelerator, reason } =
    wanted === undefined ? await chooseAccelerator(version, signal) : { accelerator: wanted, reason: "as asked for" };
  say(`QEMU ${version} with ${accelerator === "kvm" ? "KVM" : "emulation (TCG)"}: ${reason}`);
  return accelerator;
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

/** @param version of the cluster, when there is to be one */
async function planLab(
  options: LabUpOptions,
  accelerator: Accelerator,
  version: string | undefined,
): Promise<LabState> {
  const { repository, cluster } = options;
  const perNode = cluster === undefined ? 2 : 4;
  const count = 1 + perNode * options.nodes + (repository === undefined ? 0 : 1) + (cluster === undefined ? 0 : 2);
  const ports = await allocatePorts(count, await portsOfAllLabs(), isPortFree);
  const take = (): number => ports.shift() ?? 0;
  return {
    schema: "ashlar.lab/v1",
    name: options.name,
    image: options.image === undefined ? undefined : resolve(options.image),
    accelerator,
    processors: options.processors ?? DEFAULT_PROCESSORS,
    memoryMiB: options.memoryMiB ?? DEFAULT_MEMORY_MIB,
    ...(options.secureBoot === true ? { secureBoot: true } : {}),
    nodes: Array.from({ length: options.nodes }, (_, index) => ({
      name: `node-${index + 1}`,
      uuid: randomUUID(),
      sshPort: take(),
      agentPort: take(),
      ...(cluster === undefined ? {} : { kubeletPort: take(), servicePort: take() }),
    })),
    ...(options.nodes === 0 ? {} : { namePort: take() }),
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

async function makeNode(
  paths: LabPaths,
  nodeName: string,
  { image, classConfig }: NodeSource,
  nodeConfig: string,
  { pcrBanks = ["sha256"], signal }: LabUpOptions,
): Promise<void> {
  const node = nodePaths(paths, nodeName);
  await mkdir(node.directory, { mode: 0o700 });
  await copyFile(FIRMWARE_VARIABLES_PATH, node.firmwareVariables);
  await writeFile(node.classConfig, classConfig, { mode: 0o600 });
  await writeFile(node.nodeConfig, nodeConfig, { mode: 0o600 });
  await makeDisk(join(image, "disk.raw"), node, signal);
  await manufactureTpm(paths, node, nodeName, pcrBanks);
}

/** A copy that shares blocks where the file system can, and has holes; the node's first boot makes its state partition and /var behind it. */
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

/** What each node is made from. */
type NodeSource = { readonly image: string; readonly classConfig: Uint8Array };

/** An image whose keys cannot be enrolled would run as if there was no Secure Boot. */
async function requireSigned(image: string): Promise<void> {
  const { parseManifest } = await import("@ashlar/protocol/answers");
  const manifest = parseManifest(await readFile(join(image, "manifest.json"), "utf8"));
  if (manifest.secureBoot !== undefined) return;
  throw new AshlarError("usage", `expected an image that is signed for Secure Boot, found ${image}, which is not`, {
    hint: "build it with `ashlar image build --secure-boot-keys KEYDIR`, or leave out --secure-boot on",
  });
}

/** Undefined for a lab without nodes: a control plane is of use alone, too. */
function checkOptions({ nodes, image, config, cluster }: LabUpOptions): NodeSource | undefined {
  const least = cluster === undefined ? 1 : 0;
  if (!Number.isInteger(nodes) || nodes < least || nodes > MAX_NODES) {
    throw new AshlarError("usage", `expected ${least} to ${MAX_NODES} nodes, found ${nodes}`);
  }
  if (nodes === 0) return undefined;
  if (image === undefined || config === undefined) {
    throw new AshlarError("usage", "expected an image and a class config, which only a lab without nodes does without");
  }
  for (const file of ["disk.raw", "manifest.json"]) {
    if (!existsSync(join(image, file))) {
      throw new AshlarError("not-found", `expected an image in ${image}, but it has no ${file}`, {
        hint: "make one with `ashlar image build --out DIR`",
      });
    }
  }
  return { image, classConfig: config.classConfig };
}
