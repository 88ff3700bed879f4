import type { IncomingMessage } from "node:http";
import { Agent, request, type RequestOptions } from "node:https";
import { AshlarError, messageOf } from "@ashlar/base";
import { readBody, throwIfInterrupted } from "@ashlar/host";
import { CredentialSource, readSource } from "../access/credentials.ts";
import type { ClusterAccess } from "../access/kubeconfig.ts";
import { ApiError, readStatus } from "./api-error.ts";

export type ApiRequest = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  /** For example `/api/v1/nodes/worker-1`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly contentType?: "application/json" | "application/merge-patch+json" | "application/strategic-merge-patch+json";
  /** In a few words, for errors: "the nodes of the cluster". */
  readonly what: string;
};

/** The largest page that is asked for: 500 nodes of some ten kilobytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** One line of a watch: one object. etcd takes at most 1.5 MiB for one. */
const MAX_LINE_CHARACTERS = 4 * 1024 * 1024;
const ANSWER_TIMEOUT_MS = 60_000;
/** Connections are kept: a handshake costs more than most requests. */
const MAX_SOCKETS = 8;
const KEEP_ALIVE_MS = 10_000;
/** An API server that starts has some seconds in which it answers, and has not read yet who may do what. */
const STARTING_MS = 120_000;

/**
 * Speaks to one API server. Every method throws ApiError when it refuses, AshlarError `unavailable` when there is no
 * answer, `untrusted` when it is not the one that the kubeconfig means, `interrupted`, `malformed` and `limit`.
 */
export class ApiClient implements Disposable {
  readonly #access: ClusterAccess;
  readonly #credentials: CredentialSource;
  readonly #agent: Agent = new Agent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxSockets: MAX_SOCKETS });
  #awayMs = Number.NEGATIVE_INFINITY;

  constructor(access: ClusterAccess) {
    this.#access = access;
    this.#credentials = new CredentialSource(access);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  get server(): string {
    return this.#access.server.host;
  }

  /** The answer's JSON. */
  async json(asked: ApiRequest, signal: AbortSignal): Promise<unknown> {
    const response = await this.#send(asked, signal, ANSWER_TIMEOUT_MS);
    const body = await this.#collect(response, asked, signal);
    try {
      return JSON.parse(body);
    } catch (error) {
      throw this.#failure(asked, error, signal);
    }
  }

  /** Each line of a watch, as JSON, until the server ends it. Silence for `quietMs` ends it, too. */
  async *lines(asked: ApiRequest, quietMs: number, signal: AbortSignal): AsyncGenerator<unknown, void, void> {
    const response = await this.#send(asked, signal, quietMs);
    let rest = "";
    try {
      for await (const chunk of response.setEncoding("utf8")) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        if (rest.length > MAX_LINE_CHARACTERS) throw new AshlarError("limit", `${asked.what}: found an endless line`);
        for (const line of lines) {
          if (line.trim() !== "") yield JSON.parse(line);
        }
      }
    } catch (error) {
      throw this.#failure(asked, error, signal);
    } finally {
      response.destroy();
    }
  }

  /** @returns an answer with a status of 2xx */
  async #send(asked: ApiRequest, signal: AbortSignal, timeoutMs: number): Promise<IncomingMessage> {
    const response = await this.#once(asked, signal, timeoutMs);
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    const status = readStatus(
      statusCode,
      await this.#collect(response, asked, signal),
      response.headers["retry-after"],
    );
    // What a program has given may have been taken back before its time.
    if (statusCode === 401 && this.#credentials.forget()) return await this.#send(asked, signal, timeoutMs);
    throw new ApiError(asked.what, status, performance.now() - this.#awayMs < STARTING_MS);
  }

  async #once(asked: ApiRequest, signal: AbortSignal, timeoutMs: number): Promise<IncomingMessage> {
    throwIfInterrupted(signal);
    const { method, body, contentType = "application/json" } = asked;
    const { token, certificate, key } = await this.#credentials.get(signal);
    const { authority, tlsServerName } = this.#access;
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      signal,
      timeout: timeoutMs,
      headers: {
        accept: "application/json",
        "user-agent": "ashlar",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(payload === undefined ? {} : { "content-type": contentType, "content-length": payload.length }),
      },
      ...(authority === undefined ? {} : { ca: Buffer.from(await readSource(authority)) }),
      ...(certificate === undefined || key === undefined
        ? {}
        : { cert: Buffer.from(certificate), key: Buffer.from(key) }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = request(this.#urlOf(asked), options, resolve);
    sent.once("timeout", () => sent.destroy(new Error(`no answer for ${Math.round(timeoutMs / 1000)} s`)));
    sent.once("error", reject);
    sent.end(payload);
    try {
      return await promise;
    } catch (error) {
      throw this.#failure(asked, error, signal);
    }
  }

  #urlOf({ path, query = {} }: ApiRequest): URL {
    const { server } = this.#access;
    // A server's URL may have a path, as Rancher's have.
    const url = new URL(server.pathname.replace(/\/$/u, "") + path, server);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  async #collect(response: IncomingMessage, asked: ApiRequest, signal: AbortSignal): Promise<string> {
    try {
      const bytes = await readBody(response, MAX_ANSWER_BYTES);
      if (bytes !== undefined) return bytes.toString("utf8");
    } catch (error) {
      throw this.#failure(asked, error, signal);
    }
    throw new AshlarError("limit", `${asked.what}: the answer is too large`);
  }

  #failure({ what }: ApiRequest, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return new AshlarError("interrupted", "interrupted");
    if (error instanceof AshlarError) return error;
    if (error instanceof SyntaxError) {
      return new AshlarError("malformed", `${what}: expected JSON from ${this.server}, found something else`);
    }
    const why = messageOf(error);
    if (error instanceof Error && "code" in error && STRANGERS.test(String(error.code))) {
      const message = `${what}: the API server ${this.server} has not proven to be the one of the kubeconfig: ${firstPart(why)}`;
      const hint = "compare certificate-authority in the kubeconfig with the CA of the cluster";
      return new AshlarError("untrusted", message, { cause: error, hint });
    }
    this.#awayMs = performance.now();
    const message = `${what}: no answer from the API server ${this.server}: ${why}`;
    const hint = `does it run, and is it reached from here? The address is that of the context ${this.#access.context}`;
    return new AshlarError("unavailable", message, { cause: error, hint });
  }
}

/** Node.js goes on with an option of its own, which is not one of ours. */
function firstPart(text: string): string {
  return text.split(";", 1)[0] ?? "";
}

/** Node.js' codes for certificates that do not lead to the one that is trusted, or are another host's. */
const STRANGERS = /^(?:ERR_TLS_CERT_ALTNAME_INVALID|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER))/u;
