import { Server } from "node:https";
import type { Duplex } from "node:stream";
import { errorBody, jsonAnswers, type Routes } from "../shared/json-answers.ts";
import type { RefusalCode } from "../shared/refusal.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** Generous for a node under emulation, and short enough that idle attackers lose their places. */
const HANDSHAKE_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 8192;
const MAX_CONNECTIONS = 64;
const MAX_REQUESTS_PER_CONNECTION = 100;

/** An HTTPS server that answers `routes` in JSON, to everybody. */
export function createHttpsServer(identity: TlsIdentity, routes: Routes): Server {
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
    jsonAnswers(routes, "ashlar-agent.service"),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  server.on("clientError", refuseConnection);
  return server;
}

const CONNECTION_ERRORS: Readonly<Record<string, readonly [status: string, code: RefusalCode, message: string]>> = {
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
  const text = JSON.stringify(errorBody({ code, message, hint: undefined }));
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close`;
  connection.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${text}`);
}
