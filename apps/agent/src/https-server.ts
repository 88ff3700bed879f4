import type { IncomingMessage, ServerResponse } from "node:http";
import { Server } from "node:https";
import type { Duplex } from "node:stream";
import { messageOf } from "@ashlar/base";
import { MAX_REQUEST_BYTES } from "@ashlar/identity/agent-api";
import type { Route } from "./api.ts";
import { Refusal } from "./refusal.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** Generous for a node under emulation, and short enough that idle attackers lose their places. */
const HANDSHAKE_TIMEOUT_MS = 20_000;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 8192;
const MAX_CONNECTIONS = 64;
const MAX_REQUESTS_PER_CONNECTION = 100;

/** An HTTPS server that answers `routes` in JSON. Whatever goes wrong is answered with `{error: {code, message}}`. */
export function createHttpsServer(identity: TlsIdentity, routes: ReadonlyMap<string, Route>): Server {
  const server = new Server(
    {
      key: identity.pem,
      cert: identity.pem,
      minVersion: "TLSv1.3",
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => void answer(routes, request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  server.on("clientError", refuseConnection);
  return server;
}

async function answer(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const route = findRoute(routes, request);
    const body = await readBody(request);
    send(response, 200, await route.handle(body), {});
  } catch (error) {
    const refusal = error instanceof Refusal ? error : internalFailure(error);
    const retryAfter = refusal.retryAfterSeconds;
    send(response, refusal.status, errorBody(refusal.code, refusal.message), {
      ...refusal.headers,
      ...(retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) }),
      // What is left of a refused body is not worth reading.
      ...(request.complete ? {} : { Connection: "close" }),
    });
  }
}

function findRoute(routes: ReadonlyMap<string, Route>, request: IncomingMessage): Route {
  const route = routes.get(request.url ?? "");
  if (route === undefined) {
    throw new Refusal(404, "not-found", `expected one of ${[...routes.keys()].join(", ")}`);
  }
  if (route.method !== request.method) {
    throw new Refusal(405, "method-not-allowed", `expected ${route.method}`, { headers: { Allow: route.method } });
  }
  return route;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("expected a request body of bytes");
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_REQUEST_BYTES) {
      throw new Refusal(413, "limit", `expected a body of at most ${MAX_REQUEST_BYTES} bytes, found more`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, status: number, body: object, headers: Readonly<Record<string, string>>): void {
  // The client may be gone by now.
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
    ...headers,
  });
  response.end(text);
}

/** The journal gets what happened; the outside learns only that it did. */
function internalFailure(error: unknown): Refusal {
  console.error(`request failed: ${messageOf(error)}`);
  return new Refusal(500, "failed", "the agent could not do it; the node's journal says why (ashlar-agent.service)");
}

function errorBody(code: string, message: string): object {
  return { error: { code, message } };
}

const CONNECTION_ERRORS: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    "431 Request Header Fields Too Large",
    "limit",
    `expected headers of at most ${MAX_HEADER_BYTES} bytes`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "limit", "expected the request sooner"],
};

/** What is not HTTP never reaches a handler: answer on the bare connection. */
function refuseConnection(error: NodeJS.ErrnoException, connection: Duplex): void {
  if (!connection.writable || error.code === "ECONNRESET") {
    connection.destroy();
    return;
  }
  const [status, code, message] = CONNECTION_ERRORS[error.code ?? ""] ?? [
    "400 Bad Request",
    "malformed",
    "expected an HTTP/1.1 request",
  ];
  const text = JSON.stringify(errorBody(code, message));
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close`;
  connection.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${text}`);
}
