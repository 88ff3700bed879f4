/** A node's agent for tests: the real protocol and a real TPM, with room for a lie. */
import { execFileSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import {
  parseActivateRequest,
  parseEvidenceRequest,
  type Evidence,
  type Keys,
  type ReleaseManifest,
} from "@ashlar/identity";
import type { TestNode } from "@ashlar/identity/test-fixtures";

export type TestAgentLies = {
  readonly keys?: Keys;
  /** Passes this instead of the server's own TLS key to the TPM. */
  readonly tlsPublicKey?: Uint8Array;
  /** Sent instead of any JSON. */
  readonly garbage?: string;
};

/** PEM of a key and its self-signed certificate, made once. */
const IDENTITY: string = execFileSync(
  "openssl",
  [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    "/CN=node",
    "-keyout",
    "-",
  ],
  { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
);
const OWN_KEY: Uint8Array = createPublicKey(IDENTITY).export({ type: "spki", format: "der" });

export class TestAgent implements AsyncDisposable {
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(node: TestNode, release: ReleaseManifest, lies: TestAgentLies) {
    this.#server = createServer({ key: IDENTITY, cert: IDENTITY }, (request, response) => {
      this.asked.push(request.url ?? "");
      answer(request, node, release, lies).then(
        (text) => response.end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  static async start(node: TestNode, release: ReleaseManifest, lies: TestAgentLies = {}): Promise<TestAgent> {
    const agent = new TestAgent(node, release, lies);
    agent.#server.listen(0, "127.0.0.1");
    await once(agent.#server, "listening");
    return agent;
  }

  get url(): string {
    const address = this.#server.address();
    return `https://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

async function answer(
  request: IncomingMessage,
  node: TestNode,
  release: ReleaseManifest,
  lies: TestAgentLies,
): Promise<string> {
  const body = (await request.toArray()).join("");
  if (lies.garbage !== undefined) return lies.garbage;
  if (request.url === "/v1/keys") {
    const { ak, ekPublic, ekCertificate } = lies.keys ?? node.keys;
    return JSON.stringify({ ak: base64(ak), ekPublic: base64(ekPublic), ekCertificate: base64(ekCertificate) });
  }
  if (request.url === "/v1/activate") {
    const { credentialBlob, encryptedSecret } = parseActivateRequest(body);
    return JSON.stringify({ secret: base64(node.activate(credentialBlob, encryptedSecret)) });
  }
  const challenge = { nonce: parseEvidenceRequest(body), tlsPublicKey: lies.tlsPublicKey ?? OWN_KEY };
  return JSON.stringify(toResponse(node.evidence(release, challenge)));
}

function toResponse(evidence: Evidence): object {
  return {
    schema: "ashlar.evidence/v1",
    quote: { message: base64(evidence.quoteMessage), signature: base64(evidence.quoteSignature) },
    pcrs: Object.fromEntries(evidence.pcrs),
    ak: base64(evidence.ak),
    ekCertificate: base64(evidence.ekCertificate),
    tlsPublicKey: base64(evidence.tlsPublicKey),
    firmwareLog: base64(evidence.firmwareLog),
    userspaceLog: base64(evidence.userspaceLog),
    osRelease: evidence.osRelease,
    commandLine: evidence.commandLine,
    verity: evidence.verity,
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
