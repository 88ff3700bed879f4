import type { KeyObject } from "node:crypto";
import { Agent, request, type AgentOptions } from "node:https";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { AshlarError, messageOf } from "@ashlar/base";
import { readBody } from "@ashlar/host";
import {
  MAX_RESPONSE_BYTES,
  parseActivation,
  parseEvidence,
  parseExtensionsStatus,
  parseKeys,
  parseNextBoot,
  parseUpdateStatus,
  type Evidence,
  type Keys,
  type NextBootAnswer,
} from "@ashlar/protocol/answers";
import {
  ORDER_SCHEMA,
  parseOperatorPem,
  parseOrderNonce,
  signOrder,
  type ActivateRequest,
  type OrderNonce,
  type UpdateRequest,
  type UpdateStatus,
  type ComponentRequest,
  type DebugRequest,
  type ExtensionsStatus,
} from "@ashlar/protocol";
import { NEW_QUESTION, ORDER_REFUSALS, refusalOf, type RefusalCodes } from "./agent-refusal.ts";

/** How long a node may be silent. While it works on an answer it says so every few seconds (102 Processing). */
const SILENCE_MS = 120_000;
/**
 * How long it may work on one answer: a node that always says so must not hold up the others' verdicts for ever. The TLS handshake is
 * part of it: the node's kernel takes connections while the agent is only being started, and on a loaded node that takes minutes.
 */
const REQUEST_LIMIT_MS = 600_000;
/** A node that does not answer to this is off, or behind something that drops what it does not know. */
const CONNECT_TIMEOUT_MS = 45_000;
/** How often, and how long each time, a node that is busy may put us off. */
const MAX_RETRIES = 5;
const MAX_RETRY_AFTER_MS = 15_000;

export type AgentClientOptions = {
  readonly signal?: AbortSignal | undefined;
  /** PEM of an operator's private key: orders need it, and `peer`. It signs here, and goes nowhere. */
  readonly operatorPem?: string | undefined;
  readonly peer?: ProvenPeer | undefined;
  /** How long a node may be silent before it has no answer. */
  readonly silenceMs?: number;
};

/** Who a node is, as its evidence proves it. */
export type ProvenPeer = {
  /** SubjectPublicKeyInfo as DER. Nothing is said to a peer that has another one. It changes with each boot. */
  readonly tlsPublicKey: Uint8Array;
  /** As measured into PCR 15. Orders name it, so that no other node takes them. */
  readonly machineId: string;
};

type Answer = { readonly text: string; readonly tlsPublicKey: Uint8Array };

/** The orders that an operator can give, by their paths. */
export type Order = "update" | "rollback" | "reboot";

/**
 * Talks to one node's agent over one connection. The agent's certificate is self-signed and means nothing by itself: its
 * key is told to the caller, who finds it bound into the quote.
 *
 * Every method throws AshlarError `unavailable` when there is no answer, `interrupted`, and `malformed` or `limit` for an
 * answer that is none.
 */
export class AgentClient implements Disposable {
  readonly #url: URL;
  readonly #options: AgentClientOptions;
  readonly #agent: Agent;
  readonly #operatorKey: KeyObject | undefined;

  /** @throws AshlarError `usage` for anything but an https URL, `malformed` for an operator's key that is none */
  constructor(url: string, options: AgentClientOptions = {}) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== "https:" || parsed.username !== "" || parsed.search !== "") {
      throw new AshlarError("usage", `expected a node's https URL, found ${url}`, {
        hint: "for example https://worker-1.example.org:7443",
      });
    }
    this.#url = parsed;
    this.#options = options;
    this.#agent = new Agent(TLS_OPTIONS);
    this.#operatorKey = options.operatorPem === undefined ? undefined : parseOperatorPem(options.operatorPem);
  }

  async keys(): Promise<Keys> {
    return parseKeys((await this.#ask("GET", "/v1/keys")).text);
  }

  /** The secret that the node's TPM has decrypted. */
  async activate(challenge: ActivateRequest): Promise<Uint8Array> {
    return parseActivation((await this.#ask("POST", "/v1/activate", challenge)).text);
  }

  /** The node's evidence, and the TLS key of whoever gave it. */
  async evidence(nonce: Uint8Array): Promise<{ readonly evidence: Evidence; readonly tlsPublicKey: Uint8Array }> {
    const { text, tlsPublicKey } = await this.#ask("POST", "/v1/evidence", { nonce: base64(nonce) });
    return { evidence: parseEvidence(text), tlsPublicKey };
  }

  /**
   * What the node says about its next boot, and the TLS key of whoever said so.
   *
   * @throws AshlarError `not-found` when its release does not know the question
   */
  async nextBoot(nonce: Uint8Array): Promise<{ readonly answer: NextBootAnswer; readonly tlsPublicKey: Uint8Array }> {
    const { text, tlsPublicKey } = await this.#ask("POST", "/v1/next-boot", { nonce: base64(nonce) }, NEW_QUESTION);
    return { answer: parseNextBoot(text), tlsPublicKey };
  }

  /** @throws AshlarError `not-found` when its release does not know the question */
  async updateStatus(): Promise<UpdateStatus> {
    return parseUpdateStatus((await this.#ask("GET", "/v1/update", undefined, NEW_QUESTION)).text);
  }

  /**
   * Gives an order. The node has begun with it when this returns; `updateStatus` tells how it goes on.
   *
   * @throws AshlarError `untrusted` when the node does not take orders from this operator, `conflict` while it carries out
   *   another one, and whatever code the node refuses it with
   */
  async order(order: Order, update: UpdateRequest = {}): Promise<UpdateStatus> {
    return parseUpdateStatus(await this.#order(`/v1/${order}`, update));
  }

  /** @throws AshlarError `not-found` when its release does not know the question */
  async extensionsStatus(): Promise<ExtensionsStatus> {
    return parseExtensionsStatus((await this.#ask("GET", "/v1/extensions", undefined, NEW_QUESTION)).text);
  }

  /**
   * Has a component taken to another version. The node has begun with it when this returns.
   *
   * @throws AshlarError like {@link order}
   */
  async updateComponent(wish: ComponentRequest): Promise<ExtensionsStatus> {
    return parseExtensionsStatus(await this.#order("/v1/extensions/update", wish));
  }

  /**
   * Has an undeclared extension merged for a while, or removed. The node has begun with it when this returns.
   *
   * @throws AshlarError like {@link order}
   */
  async debug(wish: DebugRequest): Promise<ExtensionsStatus> {
    return parseExtensionsStatus(await this.#order("/v1/extensions/debug", wish));
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  /** Signs a request over a nonce that the node's updater gives out, and gives it to the agent to pass on. */
  async #order(path: string, wish: object): Promise<string> {
    const { peer } = this.#options;
    if (this.#operatorKey === undefined || peer === undefined) {
      throw new TypeError("orders need an operator's key and a node that was proven");
    }
    const { nonce, bootId } = await this.#orderNonce();
    const order = { machineId: peer.machineId, bootId, nonce, path, request: JSON.stringify(wish) };
    return (await this.#ask("POST", path, signOrder(order, this.#operatorKey), ORDER_REFUSALS)).text;
  }

  async #orderNonce(): Promise<OrderNonce> {
    try {
      return parseOrderNonce((await this.#ask("POST", "/v1/order-nonce", {}, NEW_QUESTION)).text);
    } catch (error) {
      if (!(error instanceof AshlarError) || error.code !== "not-found") throw error;
      const message = `expected a release that knows signed orders (${ORDER_SCHEMA}) at ${this.#url.origin}, found an older one`;
      throw new AshlarError("not-found", message, {
        hint: "give the order with the ashlar of that release, or as root on the node with `ashlar agent update`",
      });
    }
  }

  /** `body`: an object, or the very text. */
  async #ask(method: "GET" | "POST", path: string, body?: object | string, codes: RefusalCodes = {}): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const response = await this.#send(method, path, body);
      const retryAfterMs = retryAfterMsOf(response.status, response.retryAfter);
      if (retryAfterMs === undefined || attempt === MAX_RETRIES) return this.#accept(path, response, codes);
      const { signal } = this.#options;
      await sleep(retryAfterMs, undefined, signal === undefined ? {} : { signal });
    }
  }

  #accept(path: string, { status, text, tlsPublicKey }: Response, codes: RefusalCodes): Answer {
    if (status === 200 || status === 202) return { text, tlsPublicKey };
    throw refusalOf(status, text, `${this.#url.origin}${path}`, codes);
  }

  async #send(method: "GET" | "POST", path: string, body: object | string | undefined): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const { signal, silenceMs = SILENCE_MS } = this.#options;
    const signals = [AbortSignal.timeout(REQUEST_LIMIT_MS), signal].filter((each) => each !== undefined);
    const outgoing = request(new URL(path, this.#url), {
      method,
      agent: this.#agent,
      signal: AbortSignal.any(signals),
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
    });
    let silence: NodeJS.Timeout | undefined;
    outgoing.on("information", () => silence?.refresh());
    outgoing.once("response", (response) => {
      response.on("data", () => silence?.refresh());
      readResponse(response).then(resolve, reject);
    });
    outgoing.once("error", reject);
    // Nothing leaves before the peer is known to be the right one.
    whenSecure(outgoing, (socket) => {
      silence = setTimeout(() => outgoing.destroy(new Error(`none within ${silenceMs / 1000} s`)), silenceMs);
      const problem = this.#judgePeer(socket);
      if (problem === undefined) outgoing.end(typeof body === "object" ? JSON.stringify(body) : body);
      else outgoing.destroy(problem);
    });
    try {
      return await promise;
    } catch (error) {
      if (signal?.aborted === true) throw new AshlarError("interrupted", "interrupted");
      if (error instanceof AshlarError) throw error;
      const code = error instanceof Error && "code" in error ? String(error.code) : messageOf(error);
      // Ours is the only other reason to abort.
      const found = code === "ABORT_ERR" ? `none within ${REQUEST_LIMIT_MS / 1000} s` : code;
      throw new AshlarError("unavailable", `expected an answer from ${this.#url.origin}, found ${found}`);
    } finally {
      clearTimeout(silence);
    }
  }

  #judgePeer(socket: Socket): AshlarError | undefined {
    const expected = this.#options.peer?.tlsPublicKey;
    if (expected === undefined || Buffer.from(peerKeyOf(socket) ?? []).equals(expected)) return undefined;
    return new AshlarError("untrusted", `expected the TLS key of the node's evidence from ${this.#url.origin}`, {
      hint: "the node has restarted since, or something stands in between: prove it again",
    });
  }
}

const TLS_OPTIONS: AgentOptions = {
  keepAlive: true,
  maxSockets: 1,
  // A resumed session would not show the peer's certificate again.
  maxCachedSessions: 0,
  minVersion: "TLSv1.3",
  rejectUnauthorized: false,
};

/** Does something once the request has a connection on which TLS stands, or destroys the request. */
function whenSecure(outgoing: ClientRequest, then: (socket: Socket) => void): void {
  outgoing.once("socket", (socket) => {
    if (outgoing.reusedSocket) {
      then(socket);
      return;
    }
    const giveUp = (): void => void outgoing.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`));
    const timer = setTimeout(giveUp, CONNECT_TIMEOUT_MS);
    socket.once("connect", () => clearTimeout(timer));
    outgoing.once("close", () => clearTimeout(timer));
    socket.once("secureConnect", () => then(socket));
  });
}

/** SubjectPublicKeyInfo as DER. */
function peerKeyOf(socket: Socket): Uint8Array | undefined {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  return certificate?.publicKey.export({ type: "spki", format: "der" });
}

type Response = {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
  readonly tlsPublicKey: Uint8Array;
};

async function readResponse(response: IncomingMessage): Promise<Response> {
  const tlsPublicKey = peerKeyOf(response.socket);
  if (tlsPublicKey === undefined) throw new AshlarError("untrusted", "expected a TLS peer with a certificate");
  const bytes = await readBody(response, MAX_RESPONSE_BYTES);
  if (bytes === undefined)
    throw new AshlarError("limit", `expected an answer of at most ${MAX_RESPONSE_BYTES} bytes, found more`);
  return {
    status: response.statusCode ?? 0,
    retryAfter: response.headers["retry-after"],
    text: bytes.toString("utf8"),
    tlsPublicKey,
  };
}

/** How long a busy node wants us to wait, or undefined when this is its answer. */
function retryAfterMsOf(status: number, retryAfter: string | undefined): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const seconds = Number(retryAfter ?? "1");
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : 1000;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
