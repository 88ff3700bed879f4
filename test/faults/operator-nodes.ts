/** Nodes that are objects in a real API server, with real TPMs and agents behind addresses of this computer. */
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import { expectationsOf } from "@ashlar/identity";
import { TestAgent } from "@ashlar/verifier/test-fixtures";
import { nodeClass } from "./custom-resources.ts";
import { nodeNamed, type DrainLab } from "./drain-lab.ts";

export const CLASS_LABEL = "ashlar.node-restriction.kubernetes.io/class";
const AGENT_PORT = 7443;
const RELEASE = testRelease("1.0.0");
const OTHER = testRelease("1.1.0");
const NEXT_BOOT = testNextBootReport([
  [RELEASE, "ashlar_1.0.0.efi"],
  [OTHER, "ashlar_1.1.0+3-0.efi"],
]);
const CLASS_CONFIG = '{"ignition":{"version":"3.4.0"}}';
const EXPECTED = expectationsOf({
  release: RELEASE,
  classConfig: Buffer.from(CLASS_CONFIG),
  nodeConfig: Buffer.from(""),
});

export type NodeKind = "right" | "other-config";

export class OperatorNodes {
  readonly #lab: DrainLab;
  readonly #authority = new TestAuthority();
  #count = 0;

  constructor(lab: DrainLab) {
    this.#lab = lab;
  }

  /** What NodeClasses refer to. The maker of TPMs has its certificate with its first one. */
  async createSources(): Promise<void> {
    const of = (name: string): object => ({ metadata: { name, namespace: "ashlar-system" } });
    const manifests = { "1.0.0.json": JSON.stringify(RELEASE), "1.1.0.json": JSON.stringify(OTHER) };
    await this.#lab.create(
      { apiVersion: "v1", kind: "ConfigMap", ...of("trust"), data: { "makers.pem": this.#authority.roots } },
      { apiVersion: "v1", kind: "ConfigMap", ...of("manifests"), data: manifests },
      { apiVersion: "v1", kind: "Secret", ...of("configs"), stringData: { "worker.ign": CLASS_CONFIG } },
    );
  }

  async createClass(
    name: string,
    intervalSeconds: number,
    freshnessSeconds: number,
    change: object = {},
  ): Promise<void> {
    const config = { secret: { name: "configs", key: "worker.ign" } };
    await this.#lab.create(nodeClass(name, { config, proof: { intervalSeconds, freshnessSeconds }, ...change }));
  }

  /** A machine that has booted, and its Node. Its agent does not run yet. */
  async create(name: string, className: string | undefined, kind: NodeKind = "right"): Promise<OperatorNode> {
    this.#count += 1;
    const address = `127.77.0.${this.#count}`;
    const machine = new TestNode(this.#authority);
    const { classConfigSha256, nodeConfigSha256 } = EXPECTED;
    machine.boot(testLogs(RELEASE, kind === "right" ? classConfigSha256 : "c".repeat(64), nodeConfigSha256));
    await this.#lab.create(nodeNamed(name, className === undefined ? {} : { [CLASS_LABEL]: className }));
    const node = new OperatorNode(this.#lab, name, address, machine);
    await node.report({ addresses: [{ type: "InternalIP", address }], nodeInfo: { bootID: `boot-1-of-${name}` } });
    return node;
  }
}

export class OperatorNode {
  readonly name: string;
  readonly #lab: DrainLab;
  readonly address: string;
  readonly #machine: TestNode;

  constructor(lab: DrainLab, name: string, address: string, machine: TestNode) {
    this.#lab = lab;
    this.name = name;
    this.address = address;
    this.#machine = machine;
  }

  async startAgent(): Promise<TestAgent> {
    const address = { host: this.address, port: AGENT_PORT };
    return await TestAgent.start(this.#machine, RELEASE, { address, nextBoot: NEXT_BOOT });
  }

  /** As its kubelet does. */
  async report(status: object): Promise<void> {
    const patch = JSON.stringify({ status });
    await this.#lab.kubectl("patch", "node", this.name, "--subresource=status", "--type=merge", "-p", patch);
  }

  /** Status and reason of a condition of its NodeProof. */
  async proof(type: "Proven" | "Answers" | "Quarantined" = "Proven"): Promise<string> {
    return await this.#read("nodeproof", type);
  }

  /** Its taints, as `kubectl taint` writes them. */
  async taints(): Promise<string> {
    const path = "jsonpath={range .spec.taints[*]}{.key}={.value}:{.effect} {end}";
    const words = (await this.#lab.kubectl("get", "node", this.name, "-o", path)).trim().split(/\s+/u);
    return words.map((word) => word.replace("=:", ":")).join(" ");
  }

  /** Status and reason of the condition on its Node, its label and its annotation. */
  async marks(): Promise<string> {
    const path = "{.metadata.labels.ashlar\\.dev/release} {.metadata.annotations.ashlar\\.dev/identity}";
    const marks = await this.#lab.kubectl("get", "node", this.name, "-o", `jsonpath=${path}`);
    return `${await this.#read("node", "AshlarProven")} ${marks}`.trim();
  }

  async #read(kind: string, type: string): Promise<string> {
    const of = `.status.conditions[?(@.type=="${type}")]`;
    const path = `jsonpath={${of}.status} {${of}.reason}`;
    return (await this.#lab.kubectl("get", kind, this.name, "--ignore-not-found", "-o", path)).trim();
  }
}
