import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listenHttp, type Closable } from "@ashlar/host";
import { isSameSecret } from "./admit.ts";

/** What a program answers to programs. */
export type PlainAnswer = {
  readonly type: string;
  readonly body: string | Uint8Array;
  /** It is bytes to keep, and nothing to show. */
  readonly isFile?: true;
};

export type PlainServer = {
  readonly host: string;
  readonly port: number;
  /** Who has it may look; undefined where only this machine can connect. */
  readonly token: string | undefined;
  /** Answered to anybody, by path: why this process is of no use now; undefined when it is well. */
  readonly health: Readonly<Record<string, () => string | undefined>>;
  /** A text says why there is nothing at this path. */
  readonly answer: (path: string) => Promise<PlainAnswer | string>;
};

export type RunningServer = Closable & { readonly url: string };

const MAX_HEADER_BYTES = 8 * 1024;
const TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;
const TEXT = "text/plain; charset=utf-8";
export const JSON_TYPE = "application/json; charset=utf-8";
/** The text format of Prometheus. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Answers over HTTP what others may know of a program: nothing is changed by it. @throws AshlarError `conflict` (the port is taken), `usage` (the address) */
export async function servePlain({ host, port, ...context }: PlainServer): Promise<RunningServer> {
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS };
  const server = createServer(limits, (request, response) => {
    answer(context, request, response).catch(() => response.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(TIMEOUT_MS);
  const { authority, close } = await listenHttp(server, { host, port }, "give another port with --listen");
  return { url: `http://${authority}`, close };
}

type Context = Pick<PlainServer, "token" | "health" | "answer">;

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  const { token, health } = context;
  const { method, headers, url = "" } = request;
  const path = URL.parse(url, "http://plain.invalid")?.pathname ?? "";
  const send = (status: number, type: string, body: string | Uint8Array): void => {
    const bytes = Buffer.from(body);
    response.writeHead(status, { "content-type": type, "content-length": bytes.length, ...HEADERS });
    response.end(method === "HEAD" ? undefined : bytes);
  };
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return send(405, TEXT, "expected GET or HEAD\n");
  }
  if (Object.hasOwn(health, path)) {
    const illness = health[path]?.();
    return send(illness === undefined ? 200 : 503, TEXT, `${illness ?? "ok"}\n`);
  }
  // A page of another site must reach nothing by a name of its own that leads to this address (DNS rebinding).
  if (token === undefined && !isOwnName(headers.host)) return send(421, TEXT, "expected a request for this machine\n");
  if (token !== undefined && !isSameSecret(headers.authorization ?? "", `Bearer ${token}`)) {
    response.setHeader("www-authenticate", "Bearer");
    return send(401, TEXT, "expected the token of --token-file: Authorization: Bearer TOKEN\n");
  }
  const found = await context.answer(path);
  if (typeof found === "string") return send(404, TEXT, `${found}\n`);
  if (found.isFile === true) response.setHeader("content-disposition", "attachment");
  return send(200, found.type, found.body);
}

function isOwnName(host: string | undefined): boolean {
  return /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?$/iu.test(host ?? "");
}
