import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { isSameSecret, parseNodePath } from "@ashlar/gateway";
import { listenHttp, type Closable } from "@ashlar/host";
import type { Watcher } from "./watcher.ts";

export type ServeOptions = {
  readonly watcher: Pick<Watcher, "board" | "illness" | "metrics">;
  readonly host: string;
  readonly port: number;
  /** Who has it may look; undefined where only this machine can connect. */
  readonly token: string | undefined;
};

const MAX_HEADER_BYTES = 8 * 1024;
const TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;

export type RunningServer = Closable & { readonly url: string };

/** @throws AshlarError `conflict` (the port is taken), `usage` (the address) */
export async function serveWatcher({ host, port, ...context }: ServeOptions): Promise<RunningServer> {
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS };
  const server = createServer(limits, (request, response) => {
    answer(context, request, response).catch(() => response.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(TIMEOUT_MS);
  const { authority, close } = await listenHttp(server, { host, port }, "give another port with --listen");
  return { url: `http://${authority}`, close };
}

type Context = Pick<ServeOptions, "watcher" | "token">;

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

async function answer({ watcher, token }: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  const { method, headers, url = "" } = request;
  const path = URL.parse(url, "http://watch.invalid")?.pathname;
  const send = (status: number, type: string, body: string | Uint8Array): void => {
    const bytes = Buffer.from(body);
    response.writeHead(status, { "content-type": type, "content-length": bytes.length, ...HEADERS });
    response.end(method === "HEAD" ? undefined : bytes);
  };
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return send(405, TEXT, "expected GET or HEAD\n");
  }
  if (path === "/healthz") {
    const illness = watcher.illness();
    return send(illness === undefined ? 200 : 503, TEXT, `${illness ?? "ok"}\n`);
  }
  // A page of another site must reach nothing by a name of its own that leads to this address (DNS rebinding).
  if (token === undefined && !isOwnName(headers.host)) return send(421, TEXT, "expected a request for this machine\n");
  if (token !== undefined && !isSameSecret(headers.authorization ?? "", `Bearer ${token}`)) {
    response.setHeader("www-authenticate", "Bearer");
    return send(401, TEXT, "expected the token of --token-file: Authorization: Bearer TOKEN\n");
  }
  if (path === "/metrics") return send(200, METRICS_TYPE, watcher.metrics());
  const { board } = watcher;
  if (path === "/v1/fleet") return send(200, JSON_TYPE, JSON.stringify(board.fleetView(Date.now())));
  const { name, file } = parseNodePath(path ?? "");
  if (name === undefined || !board.has(name))
    return send(404, TEXT, "expected the name of a node, found no such thing\n");
  if (file === undefined) return send(200, JSON_TYPE, JSON.stringify(await board.nodeView(name, Date.now())));
  const found = (await board.evidence?.read(name))?.files.get(file);
  if (found === undefined) return send(404, TEXT, "expected the name of a file of its evidence, found no such thing\n");
  response.setHeader("content-disposition", "attachment");
  return send(200, "application/octet-stream", found.bytes);
}

const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

function isOwnName(host: string | undefined): boolean {
  return /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?$/iu.test(host ?? "");
}
