/** A node's agent for tests: the real protocol and a real TPM, with room for a lie. */
import { execFileSync } from "node:child_process";
import { createPublicKey, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import {
  openSignedOrder,
  ORDER_NONCE_SCHEMA,
  parseActivateRequest,
  parseEvidenceRequest,
  EVIDENCE_SCHEMA,
  NEXT_BOOT_SCHEMA,
  type NextBootReport,
  type UpdateStatus,
  type ExtensionsStatus,
} from "@ashlar/protocol";
import type { Evidence, Keys, ReleaseManifest } from "@ashlar/protocol/answers";
import type { TestNode } from "@ashlar/identity/test-fixtures";
import type { ProvenPeer } from "./agent-client.ts";

/** What answers: a `TestNode`, or a `KeyedMachine`, of which there can be many. */
export type AnsweringMachine = Pick<TestNode, "machineId" | "evidence" | "nextBoot" | "activate"> & {
  readonly keys: Keys;
};

export type TestAgentOptions = {
  /** What it says about its next boot; without it, it does not know the question. */
  readonly nextBoot?: NextBootReport | undefined;
  /** The same for updates. */
  readonly status?: UpdateStatus;
  /** The same for extensions. */
  readonly extensions?: ExtensionsStatus;
  /** Pins of the keys from which it takes orders. */
  readonly operators?: readonly string[];

  /** Where it listens, when that matters. */
  readonly address?: { readonly host: string; readonly port: number };
  readonly keys?: Keys;
  /** Passes this instead of the server's own TLS key to the TPM. */
  readonly tlsPublicKey?: Uint8Array;
  /** Sent instead of any JSON, or only at this path. */
  readonly garbage?: string;
  readonly garbageAt?: string;
  /** Puts everybody off, without an end. */
  readonly isBusy?: boolean;
  /** How often, and every how many milliseconds, it says that it still works before it answers. */
  readonly stillWorking?: { readonly times: number; readonly everyMs: number };
};

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, code: string) {
    super(JSON.stringify({ error: { code, message: `it is ${code}`, hint: "ask" } }));
    this.status = status;
  }
}

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
  /** Orders that were taken, with their bodies. */
  readonly orders: string[] = [];
  /** Its TLS key, SubjectPublicKeyInfo as DER. */
  readonly tlsPublicKey: Uint8Array = OWN_KEY;
  /** Whom orders to it name. */
  readonly peer: ProvenPeer;
  /** Given out, and not used yet. */
  readonly nonces: Set<string> = new Set();
  readonly #server: Server;

  private constructor(node: AnsweringMachine, release: ReleaseManifest, options: TestAgentOptions) {
    this.peer = { tlsPublicKey: OWN_KEY, machineId: node.machineId };
    this.#server = createServer({ key: IDENTITY, cert: IDENTITY }, (request, response) => {
      this.asked.push(request.url ?? "");
      const answered = work(response, options).then(async () => await answer(request, node, release, options, this));
      answered.then(
        (text) => response.writeHead(isOrder(request) ? 202 : 200).end(text),
        (error: unknown) =>
          error instanceof Refusal
            ? response.writeHead(error.status, { "Retry-After": "0" }).end(error.message)
            : response.writeHead(500).end(String(error)),
      );
    });
  }

  static async start(
    node: AnsweringMachine,
    release: ReleaseManifest,
    options: TestAgentOptions = {},
  ): Promise<TestAgent> {
    const agent = new TestAgent(node, release, options);
    const { host, port } = options.address ?? { host: "127.0.0.1", port: 0 };
    agent.#server.listen(port, host);
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

async function work(response: ServerResponse, { stillWorking }: TestAgentOptions): Promise<void> {
  for (let time = 0; time < (stillWorking?.times ?? 0); time++) {
    response.writeProcessing();
    await sleep(stillWorking?.everyMs);
  }
}

async function answer(
  request: IncomingMessage,
  node: AnsweringMachine,
  release: ReleaseManifest,
  options: TestAgentOptions,
  agent: Pick<TestAgent, "nonces" | "orders" | "peer">,
): Promise<string> {
  const body = (await request.toArray()).join("");
  const { status, extensions, garbage } = options;
  if (options.isBusy === true) throw new Refusal(429, "limit");
  if (garbage !== undefined && (options.garbageAt ?? request.url) === request.url) return garbage;
  if (request.url === "/v1/keys") {
    const { ak, ekPublic, ekCertificate, akCertificate, ekIntermediates } = options.keys ?? node.keys;
    if (akCertificate !== undefined) return JSON.stringify({ ak: base64(ak), akCertificate: base64(akCertificate) });
    return JSON.stringify({
      ak: base64(ak),
      ...(ekPublic === undefined ? {} : { ekPublic: base64(ekPublic) }),
      ...(ekCertificate === undefined ? {} : { ekCertificate: base64(ekCertificate) }),
      ...(ekIntermediates === undefined ? {} : { ekIntermediates: ekIntermediates.map(base64) }),
    });
  }
  if (request.url === "/v1/activate") {
    const { credentialBlob, encryptedSecret } = parseActivateRequest(body);
    return JSON.stringify({ secret: base64(node.activate(credentialBlob, encryptedSecret)) });
  }
  if (request.url === "/v1/order-nonce") {
    if ((status ?? extensions) === undefined) throw new Refusal(404, "not-found");
    const nonce = randomBytes(32).toString("base64url");
    agent.nonces.add(nonce);
    return JSON.stringify({ schema: ORDER_NONCE_SCHEMA, nonce, bootId: BOOT_ID });
  }
  const said = ORDERS.get(request.url ?? "");
  if (said !== undefined) {
    const isKnown = (said === "extensions" ? extensions : status) !== undefined;
    if (!isKnown) throw new Refusal(404, "not-found");
    if (isOrder(request)) takeOrder(request, body, options, agent);
    return JSON.stringify(said === "extensions" ? options.extensions : options.status);
  }
  const challenge = { nonce: parseEvidenceRequest(body), tlsPublicKey: options.tlsPublicKey ?? OWN_KEY };
  if (request.url === "/v1/next-boot") {
    if (options.nextBoot === undefined) throw new Refusal(404, "not-found");
    const { reportText, quoteMessage, quoteSignature } = node.nextBoot(options.nextBoot, challenge);
    const quote = { message: base64(quoteMessage), signature: base64(quoteSignature) };
    return JSON.stringify({ schema: NEXT_BOOT_SCHEMA, report: reportText, quote });
  }
  const { ekCertificate: own, ...evidence } = node.evidence(release, challenge);
  return JSON.stringify(toResponse({ ...evidence, ...shownOf(options.keys ?? node.keys, own) }));
}

/** One of three, as an agent has it: the node's own EK certificate, whatever it has said at enrolment. */
function shownOf({ ekCertificate, ekPublic, akCertificate }: Keys, own: Uint8Array): Partial<Evidence> {
  if (akCertificate !== undefined) return { akCertificate };
  if (ekCertificate !== undefined) return { ekCertificate: own };
  return ekPublic === undefined ? {} : { ekPublic };
}

/** What is said at these paths, and after an order that was given there. */
const ORDERS: ReadonlyMap<string, "status" | "extensions"> = new Map([
  ["/v1/update", "status"],
  ["/v1/rollback", "status"],
  ["/v1/reboot", "status"],
  ["/v1/extensions", "extensions"],
  ["/v1/extensions/update", "extensions"],
  ["/v1/extensions/debug", "extensions"],
]);

function isOrder({ method, url }: IncomingMessage): boolean {
  return method === "POST" && ORDERS.has(url ?? "");
}

function takeOrder(
  { url = "" }: IncomingMessage,
  body: string,
  { operators = [] }: TestAgentOptions,
  { nonces, orders, peer }: Pick<TestAgent, "nonces" | "orders" | "peer">,
): void {
  const { order } = openOrRefuse(body, operators);
  const isOurs = order.machineId === peer.machineId && order.bootId === BOOT_ID && order.path === url;
  if (!isOurs || !nonces.delete(order.nonce)) throw new Refusal(403, "forbidden");
  if (orders.length > 0) throw new Refusal(409, "conflict");
  orders.push(`${url} ${order.request}`);
}

function openOrRefuse(body: string, operators: readonly string[]): ReturnType<typeof openSignedOrder> {
  try {
    return openSignedOrder(body, operators);
  } catch (error) {
    if (error instanceof AshlarError) throw new Refusal(403, "forbidden");
    throw error;
  }
}

const BOOT_ID = "0f0e0d0c-0b0a-0908-0706-050403020100";

function toResponse(evidence: Evidence): object {
  return {
    schema: EVIDENCE_SCHEMA,
    quote: { message: base64(evidence.quoteMessage), signature: base64(evidence.quoteSignature) },
    ...(evidence.pcrs.sha256 === undefined ? {} : { pcrs: Object.fromEntries(evidence.pcrs.sha256) }),
    ...(evidence.pcrs.sha384 === undefined ? {} : { sha384Pcrs: Object.fromEntries(evidence.pcrs.sha384) }),
    ak: base64(evidence.ak),
    ...(evidence.ekCertificate === undefined ? {} : { ekCertificate: base64(evidence.ekCertificate) }),
    ...(evidence.ekPublic === undefined ? {} : { ekPublic: base64(evidence.ekPublic) }),
    ...(evidence.akCertificate === undefined ? {} : { akCertificate: base64(evidence.akCertificate) }),
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
