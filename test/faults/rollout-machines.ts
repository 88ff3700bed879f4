/**
 * Machines for rollouts: real TPMs and agents, and Nodes in a real API server. What a machine does when it is told to restart is
 * simulated here, and what it finds then is written down.
 */
import { generateKeyPairSync } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { compareVersions } from "@ashlar/formats";
import { expectationsOf } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { operatorPem, operatorPin, type NextBootReport, type UpdateStatus } from "@ashlar/protocol";
import { testLogs, testNextBootReport, testRelease, testUpdateStatus } from "@ashlar/protocol/test-fixtures";
import { TestAgent } from "@ashlar/verifier/test-fixtures";
import { nodeClass } from "./custom-resources.ts";
import type { DrainLab } from "./drain-lab.ts";
import type { LabApi } from "./lab-api.ts";

const AGENT_PORT = 7443;
const CLASS_LABEL = "ashlar.node-restriction.kubernetes.io/class";
const CLASS_CONFIG = '{"ignition":{"version":"3.4.0"}}';
const OPERATOR = generateKeyPairSync("ec", { namedCurve: "P-256" });
/** From the order to the next answer, and from there until the kubelet reports. */
const DOWN_MS = 4000;
const KUBELET_MS = 3000;
/** The controller of nodes gives a kubelet up after 40 seconds. */
const HEARTBEAT_MS = 10_000;

type Release = ReturnType<typeof testRelease>;

/** Kubelets in releases, by the release: the API server is of v1.33. */
const KUBELETS: ReadonlyMap<string, string> = new Map([
  ["1.6.0", "1.34.0-1.1"],
  ["1.6.1", "1.29.9-1.1"],
  ["1.6.2", "1.33.4-1.1"],
]);

const RELEASES: ReadonlyMap<string, Release> = new Map(
  ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0", ...KUBELETS.keys()].map((version) => [
    version,
    { ...testRelease(version), packages: packagesOf(version) },
  ]),
);

function packagesOf(version: string): Release["packages"] {
  const kubelet = KUBELETS.get(version);
  return kubelet === undefined ? [] : [{ name: "kubelet", version: kubelet, architecture: "amd64" }];
}

function releaseOf(version: string): Release {
  const found = RELEASES.get(version);
  if (found === undefined) throw new Error(`no release ${version}`);
  return found;
}

/** What a machine found when it was told to restart. */
export type Restart = {
  readonly from: string;
  readonly isCordoned: boolean;
  /** Pods that were still there. */
  readonly pods: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
};

export class RolloutMachines implements AsyncDisposable {
  readonly #lab: DrainLab;
  readonly #api: LabApi;
  readonly #authority = new TestAuthority();
  readonly #all: RolloutMachine[] = [];

  constructor(lab: DrainLab, api: LabApi) {
    this.#lab = lab;
    this.#api = api;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.#all) await machine[Symbol.asyncDispose]();
  }

  /** The maker of TPMs has its certificate with its first one. */
  async createClass(name: string): Promise<void> {
    const of = (object: string): object => ({ metadata: { name: object, namespace: "ashlar-system" } });
    const manifests = Object.fromEntries(
      [...RELEASES].map(([version, each]) => [`${version}.json`, JSON.stringify(each)]),
    );
    const stringData = { "worker.ign": CLASS_CONFIG, "operator.pem": operatorPem(OPERATOR.privateKey) };
    await this.#lab.create(
      { apiVersion: "v1", kind: "ConfigMap", ...of("trust"), data: { "makers.pem": this.#authority.roots } },
      { apiVersion: "v1", kind: "ConfigMap", ...of("manifests"), data: manifests },
      { apiVersion: "v1", kind: "Secret", ...of("configs"), stringData },
      nodeClass(name, {
        config: { secret: { name: "configs", key: "worker.ign" } },
        operatorKey: { name: "configs", key: "operator.pem" },
        proof: { intervalSeconds: 10, freshnessSeconds: 3600 },
      }),
    );
  }

  async create(name: string, className: string, labels: Readonly<Record<string, string>>): Promise<RolloutMachine> {
    const address = `127.78.0.${this.#all.length + 1}`;
    const metadata = { name, labels: { ...labels, [CLASS_LABEL]: className } };
    await this.#api.create("/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata });
    const machine = new RolloutMachine(name, address, new TestNode(this.#authority), this.#api);
    this.#all.push(machine);
    await machine.start();
    return machine;
  }
}

export class RolloutMachine implements AsyncDisposable {
  readonly name: string;
  readonly restarts: Restart[] = [];
  /** Versions that do not become healthy on it. */
  readonly unhealthy: Set<string> = new Set();
  readonly #address: string;
  readonly #tpm: TestNode;
  readonly #api: LabApi;
  readonly #ending = new AbortController();
  #boots = 0;
  #status: UpdateStatus = testUpdateStatus();
  #nextBoot: NextBootReport = testNextBootReport([]);
  #agent: TestAgent | undefined;
  #isUp = false;

  constructor(name: string, address: string, tpm: TestNode, api: LabApi) {
    this.name = name;
    this.#address = address;
    this.#tpm = tpm;
    this.#api = api;
  }

  get version(): string {
    return this.#status.version;
  }

  async start(): Promise<void> {
    await this.#boot("1.0.0");
    await this.#reportWhenPossible();
    void this.#beat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#agent?.[Symbol.asyncDispose]();
  }

  async #boot(version: string, change: Partial<UpdateStatus> = {}): Promise<void> {
    const release = releaseOf(version);
    this.#boots += 1;
    const { classConfigSha256, nodeConfigSha256 } = expectationsOf({
      release,
      classConfig: Buffer.from(CLASS_CONFIG),
      nodeConfig: Buffer.from(""),
    });
    this.#tpm.boot(testLogs(release, classConfigSha256, nodeConfigSha256));
    const bootId = `boot-${this.#boots}-of-${this.name}`;
    this.#status = { ...this.#status, version, bootId, staged: null, ...change };
    if (change.failures === undefined) this.#nextBoot = testNextBootReport([[release, `ashlar_${version}.efi`]]);
    const nextBoot = (): NextBootReport => this.#nextBoot;
    const status = (orders: readonly string[]): UpdateStatus => {
      for (const order of orders) this.#obey(order);
      return this.#status;
    };
    const agent: TestAgent = await TestAgent.start(this.#tpm, release, {
      operators: [operatorPin(OPERATOR.publicKey)],
      address: { host: this.#address, port: AGENT_PORT },
      get nextBoot() {
        return nextBoot();
      },
      // It is asked for after each order.
      get status() {
        return status(agent.orders.splice(0));
      },
    });
    this.#agent = agent;
  }

  #obey(order: string): void {
    const { version } = this.#status;
    if (order.startsWith("/v1/reboot")) {
      void this.#restart();
      return;
    }
    const to = /"to":"([^"]+)"/u.exec(order)?.[1] ?? version;
    this.#status = { ...this.#status, staged: to };
    // The newest boots unless it was given up, as it is for an older one.
    const kept = compareVersions(to, version) < 0 ? `ashlar_${version}+0-1.efi` : `ashlar_${version}.efi`;
    this.#nextBoot = testNextBootReport([
      [releaseOf(version), kept],
      [releaseOf(to), `ashlar_${to}+3-0.efi`],
    ]);
  }

  /** Writes down what it finds first: that is what a rollout is judged by. */
  async #restart(): Promise<void> {
    const { staged, version, bootId } = this.#status;
    const to = staged ?? version;
    // It may restart while nobody answers; what it has found is known before its kubelet changes anything.
    const written = this.#found().then((found) => this.restarts.push({ from: bootId, ...found }));
    this.#isUp = false;
    await this.#agent?.[Symbol.asyncDispose]();
    await this.#pause(DOWN_MS);
    if (this.#ending.signal.aborted) return;
    await this.#boot(...this.#outcomeOf(version, to));
    await this.#pause(KUBELET_MS);
    await written;
    await this.#reportWhenPossible();
  }

  #outcomeOf(version: string, to: string): [version: string, change?: Partial<UpdateStatus>] {
    if (!this.unhealthy.has(to)) return [to];
    const failure = {
      version: to,
      bootId: "a-boot",
      at: "2026-11-22T12:00:00Z",
      check: "containerd",
      message: "it is not running",
    };
    this.#nextBoot = testNextBootReport([
      [releaseOf(version), `ashlar_${version}.efi`],
      [releaseOf(to), `ashlar_${to}+0-3.efi`],
    ]);
    return [version, { failures: [failure] }];
  }

  /** Pods of DaemonSets stay when a node is drained. */
  async #found(): Promise<Omit<Restart, "from">> {
    while (!this.#ending.signal.aborted) {
      try {
        const { spec, metadata } = await this.#api.get(`/api/v1/nodes/${this.name}`);
        const pods = await this.#api.list(`/api/v1/pods?fieldSelector=spec.nodeName%3D${this.name}`);
        const own = pods.filter(
          (pod) => pod.metadata.ownerReferences?.some(({ kind }) => kind === "DaemonSet") !== true,
        );
        const isCordoned = spec?.["unschedulable"] === true;
        return { isCordoned, pods: own.map((pod) => pod.metadata.name), labels: metadata.labels ?? {} };
      } catch {
        await this.#pause(200);
      }
    }
    return { isCordoned: false, pods: ["nothing is known"], labels: {} };
  }

  /** As its kubelet does. */
  async #report(): Promise<void> {
    const now = new Date().toISOString();
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: now };
    const status = {
      conditions: [ready],
      addresses: [{ type: "InternalIP", address: this.#address }],
      nodeInfo: { bootID: this.#status.bootId },
      // The scheduler places pods by it.
      allocatable: { pods: "110" },
    };
    await this.#api.patch(`/api/v1/nodes/${this.name}/status`, { status }, "strategic-merge");
    this.#isUp = true;
  }

  async #reportWhenPossible(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      try {
        await this.#report();
        return;
      } catch {
        await this.#pause(1000);
      }
    }
  }

  async #beat(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      await this.#pause(HEARTBEAT_MS);
      if (this.#isUp) await this.#report().catch(() => undefined);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }
}
