import { realpath, type FileHandle } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { AshlarError } from "@ashlar/base";
import { listenHttp, type Closable } from "@ashlar/host";
import { openServedFile } from "./open-served-file.ts";
import { parseRange, type Range } from "./parse-range.ts";

export type ServeOptions = {
  readonly repository: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
};

export type RunningServer = Closable & { readonly url: string };

const MAX_CONNECTIONS = 1024;
const MAX_HEADER_BYTES = 8 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;
/** Who takes an answer slower than this, on average over the time it takes, is disconnected. */
const SLOWEST_BYTES_PER_MS = 1;
const CHUNK_BYTES = 128 * 1024;
/** Never changed once they are there: their names hold the version. */
const IMMUTABLE = /^\/releases\/|^\/metadata\/\d+\./u;

/**
 * Serves a repository's files by HTTP: GET and HEAD with single ranges, nothing else.
 *
 * @throws AshlarError `not-found` (the directory), `conflict` (the port is taken), `usage` (the host)
 */
export async function serveRepository({ repository, host, port }: ServeOptions): Promise<RunningServer> {
  const root = await realpath(repository).catch(() => {
    throw new AshlarError("not-found", `expected a repository, found no directory ${repository}`);
  });
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => {
      answer(root, request, response).catch(() => response.destroy());
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  const { authority, close } = await listenHttp(server, { host, port }, "give another --port or --host");
  return { url: `http://${authority}/`, close };
}

async function answer(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Bodies are of no interest; one that does not come ends with the connection's time.
  request.resume();
  const { method, url: target = "", headers } = request;
  if (method !== "GET" && method !== "HEAD") return refuse(response, 405, { allow: "GET, HEAD" });
  const file = await openServedFile(root, target);
  if (file === undefined) return refuse(response, 404);
  try {
    const { handle, sizeBytes, etag } = file;
    response.setHeader("etag", etag);
    response.setHeader("accept-ranges", "bytes");
    response.setHeader("cache-control", IMMUTABLE.test(target) ? "public, max-age=31536000, immutable" : "no-cache");
    if (isNamed(headers["if-none-match"], etag)) {
      response.writeHead(304).end();
      return;
    }
    // RFC 9110, section 13.1.5: when the file is another one by now, the whole is wanted. A date is never taken for equal.
    const isSameFile = headers["if-range"] === undefined || headers["if-range"] === etag;
    const range = method === "GET" && isSameFile ? parseRange(headers.range, sizeBytes) : "whole";
    if (range === "unsatisfiable") return refuse(response, 416, { "content-range": `bytes */${sizeBytes}` });
    const part = range === "whole" ? { start: 0, end: sizeBytes } : range;
    if (range !== "whole") response.setHeader("content-range", `bytes ${part.start}-${part.end - 1}/${sizeBytes}`);
    response.writeHead(range === "whole" ? 200 : 206, {
      "content-type": target.endsWith(".json") ? "application/json" : "application/octet-stream",
      "content-length": part.end - part.start,
    });
    if (method === "HEAD") response.end();
    else await sendPart(handle, part, response);
  } finally {
    await file.handle.close();
  }
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  const text = `${status}\n`;
  response.writeHead(status, { "content-type": "text/plain", "content-length": text.length, ...headers }).end(text);
}

function isNamed(header: string | undefined, etag: string): boolean {
  return (
    header !== undefined && header.split(",").some((each) => [etag, "*"].includes(each.trim().replace(/^W\//u, "")))
  );
}

async function sendPart(handle: FileHandle, { start, end }: Range, response: ServerResponse): Promise<void> {
  const deadline = setTimeout(() => response.destroy(), IDLE_TIMEOUT_MS + (end - start) / SLOWEST_BYTES_PER_MS);
  try {
    for (let offset = start; offset < end && !response.destroyed;) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - offset));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, offset);
      // The file became shorter: ending the connection is how the reader learns it.
      if (bytesRead === 0) return void response.destroy();
      offset += bytesRead;
      const isTaken = response.write(chunk.subarray(0, bytesRead));
      // Who has gone while the disk was read drains nothing any more.
      if (!isTaken && offset < end && !response.destroyed) await drained(response);
    }
    response.end();
  } finally {
    clearTimeout(deadline);
  }
}

async function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once("drain", resolve).once("close", resolve);
  await promise;
  response.off("drain", resolve).off("close", resolve);
}
