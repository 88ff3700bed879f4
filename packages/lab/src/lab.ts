import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { run, throwIfInterrupted, type RunResult } from "@ashlar/host";
import { attachConsole } from "./attach-console.ts";
import { clusterPaths, kubectlEnvironment } from "./cluster/cluster-paths.ts";
import { clusterStatus, type ClusterStatus } from "./cluster/cluster-status.ts";
import { ConsoleFollower, consoleTail } from "./console-log.ts";
import type { LabProgress } from "./lab-progress.ts";
import { labDown } from "./lab-down.ts";
import { withLab } from "./lab-lock.ts";
import { labPaths, nodePaths, type LabPaths } from "./lab-paths.ts";
import { readLabState, type LabState } from "./lab-state.ts";
import { findMachine, findNode, powerOff, powerOn, waitUntilOff } from "./machine.ts";
import { agentUrl, nodeStatus, type NodeStatus } from "./node-status.ts";
import type { Accelerator } from "./qemu-arguments.ts";
import { askMonitor } from "./qmp.ts";
import { startRepositoryServer, stopRepositoryServer } from "./repository-server.ts";
import { bootTimeoutMs, waitForBoot, waitForNode } from "./wait-for-node.ts";

export type LabNode = {
  readonly name: string;
  readonly agentUrl: string;
  readonly sshPort: number;
  /** In a lab with a cluster: where a Service of the NodePort 30080 can be asked on this computer. */
  readonly servicePort: number | undefined;
  /** The exact bytes of the Ignition configs that the lab gives to the node. */
  readonly classConfig: Uint8Array;
  readonly nodeConfig: Uint8Array;
  readonly consolePath: string;
  /** A raw disk. It may be changed while the node is stopped. */
  readonly diskPath: string;
};

export type StartOptions = {
  /** Replaces the node's class config, now and for later starts. */
  readonly classConfig?: Uint8Array | undefined;
  /** Gives the node no config this time, as when no source answers: it uses what it remembers. */
  readonly withoutConfig?: boolean | undefined;
  /** What the node's clock says when it is powered on. Default: the time. */
  readonly clock?: Date | undefined;
  /** Whether to wait until the agent answers. Default: yes. */
  readonly wait?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly onProgress?: ((progress: LabProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type WaitForBootOptions = Pick<StartOptions, "timeoutMs" | "onProgress" | "signal">;

export type StopOptions = {
  /** Cuts the power instead of asking the system to shut down. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type LabRepositoryPlace = {
  readonly directory: string;
  /** Of this machine, where it is served. */
  readonly port: number;
  /** TUF root metadata. There is no such file when the nodes trust what is in their image. */
  readonly trustedRootPath: string;
};

/** How `ashlar lab kubectl` reaches the lab's cluster. */
export type LabClusterAccess = {
  readonly kubectl: string;
  /** Of an administrator, for the API server's address on this computer. */
  readonly kubeconfig: string;
  /** That kubeconfig, and a place in the lab for what kubectl remembers. */
  readonly environment: Readonly<Record<string, string>>;
};

/** systemd-boot tries a new release three times, and then the old one. */
const MAX_TRIAL_BOOTS = 4;

/** Virtual machines of this computer that belong together. It lives on disk and in its processes, not in this object. */
export class Lab {
  readonly #paths: LabPaths;
  #state: LabState;
  #nodes: readonly LabNode[] = [];

  private constructor(paths: LabPaths, state: LabState) {
    this.#paths = paths;
    this.#state = state;
  }

  /** See openLab. */
  static async open(name: string): Promise<Lab> {
    const paths = labPaths(name);
    const lab = new Lab(paths, await readLabState(paths));
    await lab.#readNodes();
    return lab;
  }

  get name(): string {
    return this.#paths.name;
  }

  get nodes(): readonly LabNode[] {
    return this.#nodes;
  }

  get accelerator(): Accelerator {
    return this.#state.accelerator;
  }

  /** The manifest of the image that the nodes were made from. */
  get manifestPath(): string {
    return this.#paths.manifest;
  }

  /** PEM: the certificates that the endorsement certificates of the nodes' TPMs lead to. */
  get ekRootsPath(): string {
    return this.#paths.ekRoots;
  }

  /** PEM: the key that may give the nodes orders, and its certificate. */
  get operatorKeyPath(): string {
    return this.#paths.operatorKey;
  }

  /** Where the nodes' releases come from, when the lab serves any. */
  get repository(): LabRepositoryPlace | undefined {
    const { repository } = this.#state;
    if (repository === undefined) return undefined;
    const { directory, port } = repository;
    return { directory, port, trustedRootPath: this.#paths.releaseRoot };
  }

  /** Undefined without a cluster. */
  get cluster(): LabClusterAccess | undefined {
    const { cluster } = this.#state;
    if (cluster === undefined) return undefined;
    const paths = clusterPaths(this.#paths);
    return { kubectl: cluster.programs.kubectl, kubeconfig: paths.kubeconfig, environment: kubectlEnvironment(paths) };
  }

  /** What the cluster does now. Undefined without one. */
  async clusterStatus(): Promise<ClusterStatus | undefined> {
    const { cluster } = this.#state;
    return cluster === undefined ? undefined : await clusterStatus(this.#paths, cluster);
  }

  /** Serves the repository again, when it is not being served. */
  async startRepository(): Promise<void> {
    await startRepositoryServer(this.#paths, this.#state);
  }

  /** Stops serving the repository, as when its server is down. It is served again when a node is powered on. */
  async stopRepository(): Promise<void> {
    await stopRepositoryServer(this.#paths);
  }

  async status(): Promise<NodeStatus[]> {
    return await Promise.all(this.#state.nodes.map((node) => nodeStatus(this.#paths, node)));
  }

  /**
   * Powers a node on.
   *
   * @throws AshlarError `conflict` when it runs, or another command changes the lab, `unavailable` when it does not come up.
   * When it is interrupted, the node is off again.
   */
  async start(nodeName: string, options: StartOptions = {}): Promise<void> {
    await this.#exclusively("start", async () => {
      await this.#refuseRunning(nodeName);
      await this.#start(nodeName, options);
    });
  }

  /**
   * Waits until a node that restarts by itself answers from another boot than `afterBootId`, however many boots it takes.
   *
   * @throws AshlarError `unavailable` when it does not.
   */
  async waitForBoot(nodeName: string, afterBootId: string, options: WaitForBootOptions = {}): Promise<void> {
    const { timeoutMs = MAX_TRIAL_BOOTS * bootTimeoutMs(this.#state, 1), onProgress, signal } = options;
    const node = findNode(this.#state, nodeName);
    await waitForBoot(this.#paths, node, afterBootId, { timeoutMs, onProgress, signal });
  }

  async stop(nodeName: string, options: StopOptions = {}): Promise<void> {
    await this.#exclusively("stop", async () => this.#stop(nodeName, options));
  }

  /** Powers a node off and on again. */
  async restart(nodeName: string, options: StartOptions & StopOptions = {}): Promise<void> {
    await this.#exclusively("restart", async () => {
      await this.#stop(nodeName, options);
      throwIfInterrupted(options.signal);
      await this.#start(nodeName, options);
    });
  }

  /** Removes the lab. */
  async down(): Promise<void> {
    await labDown(this.name);
  }

  /**
   * Runs a command on a node and collects what it prints. As always with ssh, the words are joined by spaces and read by
   * a shell. The exit status is part of the answer; 255 is ssh's own.
   */
  async ssh(nodeName: string, command: readonly string[], signal?: AbortSignal): Promise<RunResult> {
    return await run("ssh", [...this.#sshArguments(nodeName), "-T", ...command], {
      acceptStatus: Array.from({ length: 256 }, (_, status) => status),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Runs a shell script on a node as root. What it prints to standard error comes last. */
  async root(
    nodeName: string,
    script: string,
    signal?: AbortSignal,
  ): Promise<{ readonly status: number; readonly output: string }> {
    // One quoted word survives the shell that ssh gives its words to.
    const quoted = `'${script.replaceAll("'", `'\\''`)}'`;
    const { status, stdout, stderr } = await this.ssh(nodeName, ["sudo", "-n", "sh", "-c", quoted], signal);
    return { status, output: `${stdout.toString("utf8")}${stderr}`.trim() };
  }

  /** Gives this terminal to a command on a node, or to a shell. Resolves with its exit status. */
  async shell(nodeName: string, command: readonly string[]): Promise<number> {
    const child = spawn("ssh", [...this.#sshArguments(nodeName), ...command], { stdio: "inherit" });
    const [status]: unknown[] = await once(child, "close");
    return typeof status === "number" ? status : 255;
  }

  /** Connects this terminal to a node's serial console, until Ctrl-] is typed. */
  async console(nodeName: string): Promise<void> {
    findNode(this.#state, nodeName);
    await attachConsole(nodePaths(this.#paths, nodeName));
  }

  /** The last lines of a node's console. */
  async consoleTail(nodeName: string, lines: number): Promise<string[]> {
    findNode(this.#state, nodeName);
    return await consoleTail(nodePaths(this.#paths, nodeName).console, lines);
  }

  #sshArguments(nodeName: string): string[] {
    const node = findNode(this.#state, nodeName);
    const options = [
      "BatchMode=yes",
      "ConnectTimeout=30",
      "IdentitiesOnly=yes",
      `IdentityFile=${this.#paths.sshKey}`,
      // The first key that a node shows is taken and held to: it keeps its key in /var.
      "StrictHostKeyChecking=accept-new",
      `UserKnownHostsFile=${this.#paths.knownHosts}`,
      `HostKeyAlias=${nodeName}`,
      "LogLevel=ERROR",
    ];
    return ["-F", "none", ...options.flatMap((option) => ["-o", option]), "-p", String(node.sshPort), "core@127.0.0.1"];
  }

  async #exclusively(command: string, work: () => Promise<void>): Promise<void> {
    await withLab(this.#paths, command, async () => {
      this.#state = await readLabState(this.#paths);
      await work();
      await this.#readNodes();
    });
  }

  /** Powering on would cut the power of what runs. */
  async #refuseRunning(nodeName: string): Promise<void> {
    findNode(this.#state, nodeName);
    if ((await findMachine(this.#paths, nodeName)) === undefined) return;
    throw new AshlarError("conflict", `expected ${nodeName} to be powered off, found it running`, {
      hint: `restart it with \`ashlar lab restart ${nodeName} --name ${this.name}\``,
    });
  }

  async #start(nodeName: string, options: StartOptions): Promise<void> {
    findNode(this.#state, nodeName);
    const { withoutConfig, clock, onProgress, signal } = options;
    if (options.classConfig !== undefined) {
      await writeFile(nodePaths(this.#paths, nodeName).classConfig, options.classConfig, { mode: 0o600 });
    }
    const say = (message: string): void => onProgress?.({ message });
    this.#state = await powerOn(this.#paths, this.#state, nodeName, { withoutConfig, clock, say, signal });
    if (options.wait === false) return;
    const timeoutMs = options.timeoutMs ?? bootTimeoutMs(this.#state, 1);
    try {
      await waitForNode(this.#paths, findNode(this.#state, nodeName), { timeoutMs, onProgress, signal });
    } catch (error) {
      if (signal?.aborted === true) await powerOff(this.#paths, nodeName);
      throw error;
    }
  }

  async #stop(nodeName: string, options: StopOptions): Promise<void> {
    findNode(this.#state, nodeName);
    const log = new ConsoleFollower(nodePaths(this.#paths, nodeName).console);
    const { phase, deadEnd } = await log.readAll();
    // A machine that has not come up has nothing to lose.
    if (options.force === true || phase !== "system" || deadEnd !== undefined) {
      return await powerOff(this.#paths, nodeName);
    }
    // The power button, as a cloud or a management controller presses it.
    await askMonitor(nodePaths(this.#paths, nodeName).monitorSocket, "system_powerdown");
    return await waitUntilOff(this.#paths, nodeName);
  }

  async #readNodes(): Promise<void> {
    this.#nodes = await Promise.all(
      this.#state.nodes.map(async (node) => {
        const paths = nodePaths(this.#paths, node.name);
        return {
          name: node.name,
          agentUrl: agentUrl(node),
          sshPort: node.sshPort,
          servicePort: node.servicePort,
          classConfig: await readFile(paths.classConfig),
          nodeConfig: await readFile(paths.nodeConfig),
          consolePath: paths.console,
          diskPath: paths.disk,
        };
      }),
    );
  }
}

/** @throws AshlarError `not-found` when there is no such lab, `invalid` or `malformed` when only half of it exists. */
export async function openLab(name: string): Promise<Lab> {
  return await Lab.open(name);
}
