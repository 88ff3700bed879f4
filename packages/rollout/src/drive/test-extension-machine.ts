/** A machine for tests that does at once what it is told about extensions; its TPM and its agent's protocol are real. */
import { generateKeyPairSync } from "node:crypto";
import { expectationsOf } from "@ashlar/identity";
import {
  operatorPem,
  operatorPin,
  type ComponentRequest,
  type DebugRequest,
  type ExtensionManifest,
  type ExtensionsStatus,
  type ExtensionWord,
  type NextBootReport,
} from "@ashlar/protocol";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import {
  mergedWord,
  testExtension,
  testExtensionsStatus,
  testLogs,
  testNextBootReport,
  testRelease,
  withExtensionWords,
} from "@ashlar/protocol/test-fixtures";
import type { TestNode } from "@ashlar/identity/test-fixtures";
import { TestAgent } from "@ashlar/verifier/test-fixtures";

export const RELEASE: ReleaseManifest = testRelease("1.0.0");
export const OLD: ExtensionManifest = testExtension("kubernetes", "v1.33.2");
export const NEW: ExtensionManifest = testExtension("kubernetes", "v1.33.5");
export const TOOLS: ExtensionManifest = testExtension("debug-tools", "1.0");

const operator = generateKeyPairSync("ec", { namedCurve: "P-256" });
export const OPERATOR_PEM: string = operatorPem(operator.privateKey);

const EXTENSIONS = "extensions: [{name: kubernetes, version: v1.33.*, tier: community}]";
const NEXT_BOOT: NextBootReport = testNextBootReport([[RELEASE, "ashlar_1.0.0.efi"]]);
/** Of a node that somebody has told to boot something of their own next. */
export const WRONG_NEXT_BOOT: NextBootReport = {
  ...NEXT_BOOT,
  loaderVariables: { LoaderEntryDefault: "evil.efi" },
};

/** Declares kubernetes. */
export const CONFIG: Uint8Array = Buffer.from(
  JSON.stringify({
    storage: {
      files: [{ path: "/etc/ashlar/extensions.yaml", contents: { source: `data:,${encodeURIComponent(EXTENSIONS)}` } }],
    },
  }),
);

export class ExtensionMachine {
  readonly orders: string[] = [];
  readonly operators: string[] = [operatorPin(operator.publicKey)];
  readonly #tpm: TestNode;
  readonly #words: ExtensionWord[] = [];
  /** It does not do what it is told, and says this. */
  refusal: string | undefined;
  status: ExtensionsStatus = testExtensionsStatus();
  nextBoot: NextBootReport = NEXT_BOOT;

  constructor(tpm: TestNode) {
    this.#tpm = tpm;
    this.merge(OLD, null);
  }

  /** Measures an extension and has it merged. */
  merge(extension: ExtensionManifest, until: string | null): void {
    const { kind, name, version, image } = extension;
    const others = this.status.merged.filter((each) => each.name !== name);
    const merged = [...others, { kind, name, version, rootHash: image.rootHash, until }];
    this.#measure(mergedWord(extension));
    this.status = { ...this.status, merged };
  }

  unmerge(removed: string): void {
    this.#measure({ kind: "sysext", name: removed, rootHash: null });
    this.status = { ...this.status, merged: this.status.merged.filter(({ name }) => name !== removed) };
  }

  /** A TPM cannot be asked for less than a whole boot here: the same words and one more. */
  #measure(word: ExtensionWord): void {
    this.#words.push(word);
    const digests = expectationsOf({ release: RELEASE, classConfig: CONFIG, nodeConfig: new Uint8Array() });
    const logs = testLogs(RELEASE, digests.classConfigSha256, digests.nodeConfigSha256);
    this.#tpm.boot(withExtensionWords(logs, this.#words));
  }

  obey(order: string): void {
    this.orders.push(order);
    const [path, body = ""] = order.split(/ (?=\{)/u);
    if (this.refusal !== undefined) {
      this.status = { ...this.status, lastError: { code: "failed", message: this.refusal } };
    } else if (path === "/v1/extensions/update") {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own client has sent it
      const { to } = JSON.parse(body) as ComponentRequest;
      if (to === NEW.version) this.merge(NEW, null);
    } else {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own client has sent it
      const { seconds } = JSON.parse(body) as DebugRequest;
      if (seconds === 0) this.unmerge(TOOLS.name);
      else this.merge(TOOLS, new Date(Date.now() + seconds * 1000).toISOString());
    }
  }

  async start(): Promise<TestAgent> {
    // oxlint-disable-next-line typescript/no-this-alias -- a getter below has another one
    const machine = this;
    const agent: TestAgent = await TestAgent.start(this.#tpm, RELEASE, {
      operators: this.operators,
      get nextBoot() {
        return machine.nextBoot;
      },
      get extensions() {
        for (const order of agent.orders.splice(0)) machine.obey(order);
        return machine.status;
      },
    });
    return agent;
  }
}
