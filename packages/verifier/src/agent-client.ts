import { Agent, request } from "node:https";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { AshlarError, messageOf } from "@ashlar/base";
import {
  MAX_RESPONSE_BYTES,
  parseActivation,
  parseEvidence,
  parseKeys,
  type ActivateRequest,
  type Evidence,
  type Keys,
} from "@ashlar/identity";

/** A node under emulation takes tens of seconds for its keys and seconds for a quote. */
const REQUEST_TIMEOUT_MS = 120_000;
/** The kernel of a node whose agent is only being started, or of a forwarder before a dead node, takes connections too. */
const HANDSHAKE_TIMEOUT_MS = 45_000;
/** How often, and how long each time, a node that is busy may put us off. */
const MAX_RETRIES = 5;
const MAX_RETRY_AFTER_MS = 15_000;

type Answer = { readonly text: string; readonly tlsPublicKey: Uint8Array };

/**
 * Talks to one node's agent over one connection. The agent's certificate is self-signed and means nothing by itself: its
 * key is told to the caller, who finds it bound into the quote.
 */
export class AgentClient implements Disposable {
  readonly #url: URL;
  readonly #signal: AbortSignal | undefined;
  readonly #agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    // A resumed session would not show the peer's certificate again.
    maxCachedSessions: 0,
    minVersion: "TLSv1.3",
    rejectUnauthorized: false,
  });

  /** @throws AshlarError `usage` for anything but an https URL */
  constructor(url: string, signal?: AbortSignal) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== "https:" || parsed.username !== "" || parsed.search !== "") {
      throw new AshlarError("usage", `expected a node's https URL, found ${url}`, {
        hint: "for example https://worker-1.example.org:7443",
      });
    }
    this.#url = parsed;
    this.#signal = signal;
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
    const { text, tlsPublicKey } = await this.#ask("POST", "/v1/evidence", {
      nonce: Buffer.from(nonce).toString("base64"),
    });
    return { evidence: parseEvidence(text), tlsPublicKey };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #ask(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const response = await this.#send(method, path, body);
      const retryAfterMs = retryAfterMsOf(response.status, response.retryAfter);
      if (retryAfterMs === undefined || attempt === MAX_RETRIES) return this.#accept(path, response);
      await sleep(retryAfterMs, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
    }
  }

  #accept(path: string, { status, text, tlsPublicKey }: Response): Answer {
    if (status === 200) return { text, tlsPublicKey };
    throw this.#unavailable(`status ${status} for ${path}: ${text.slice(0, MAX_SHOWN_CHARACTERS)}`);
  }

  async #send(method: "GET" | "POST", path: string, body: object | undefined): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const signals = [AbortSignal.timeout(REQUEST_TIMEOUT_MS), this.#signal].filter((each) => each !== undefined);
    const outgoing = request(new URL(path, this.#url), {
      method,
      agent: this.#agent,
      signal: AbortSignal.any(signals),
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
    });
    outgoing.once("socket", (socket) => {
      const timer = setTimeout(() => outgoing.destroy(new Error("no TLS connection in time")), HANDSHAKE_TIMEOUT_MS);
      const clear = (): void => clearTimeout(timer);
      if (outgoing.reusedSocket) clear();
      else socket.once("secureConnect", clear);
      outgoing.once("close", clear);
    });
    outgoing.once("response", (response) => {
      readResponse(response).then(resolve, reject);
    });
    outgoing.once("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    try {
      return await promise;
    } catch (error) {
      if (this.#signal?.aborted === true) throw new AshlarError("interrupted", "interrupted");
      if (error instanceof AshlarError) throw error;
      throw this.#unavailable(error instanceof Error && "code" in error ? String(error.code) : messageOf(error));
    }
  }

  #unavailable(found: string): AshlarError {
    return new AshlarError("unavailable", `expected an answer from ${this.#url.origin}, found ${found}`);
  }
}

const MAX_SHOWN_CHARACTERS = 200;

type Response = {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
  readonly tlsPublicKey: Uint8Array;
};

async function readResponse(response: IncomingMessage): Promise<Response> {
  const { socket } = response;
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) throw new AshlarError("untrusted", "expected a TLS peer with a certificate");
  const tlsPublicKey = certificate.publicKey.export({ type: "spki", format: "der" });
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("a response without encoding gives buffers");
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_RESPONSE_BYTES) {
      response.destroy();
      throw new AshlarError("limit", `expected an answer of at most ${MAX_RESPONSE_BYTES} bytes, found more`);
    }
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    retryAfter: response.headers["retry-after"],
    text: Buffer.concat(chunks).toString("utf8"),
    tlsPublicKey,
  };
}

/** How long a busy node wants us to wait, or undefined when this is its answer. */
function retryAfterMsOf(status: number, retryAfter: string | undefined): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const seconds = Number(retryAfter ?? "1");
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : 1000;
}
