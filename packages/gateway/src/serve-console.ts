import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { listenHttp, type Closable } from "@ashlar/host";
import { refuse } from "./admit.ts";
import type { Board } from "./board.ts";
import { parseNodePath } from "./node-path.ts";

export type PageFile = { readonly type: string; readonly bytes: Uint8Array };

export type ServeConsoleOptions = {
  readonly board: Board;
  /** By path: `/` is the page itself. */
  readonly page: ReadonlyMap<string, PageFile>;
  /** An address of this machine's own (127.0.0.1, ::1). */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
};

export type RunningConsole = Closable & {
  /** With the token. */
  readonly url: string;
  readonly token: string;
};

/** 192 bits. */
const TOKEN_BYTES = 24;
const MAX_HEADER_BYTES = 8 * 1024;
const TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;
/** Less is not worth it. */
const COMPRESSED_FROM_BYTES = 1024;

/**
 * Nothing from elsewhere, nothing inline, no frames, and no text that becomes markup: what a node says of itself is text, even
 * if the page were wrong.
 */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
} as const;

/** @throws AshlarError `conflict` (the port is taken), `usage` (the address) */
export async function serveConsole({ board, page, host, port }: ServeConsoleOptions): Promise<RunningConsole> {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const hosts = new Set<string>();
  const compressed = new Compressed();
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS },
    (request, response) => {
      answer({ board, page, hosts, token, compressed }, request, response).catch(() => response.destroy());
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(TIMEOUT_MS);
  const hint = "give another port with --listen, or none for any that is free";
  const { authority, port: actualPort, close } = await listenHttp(server, { host, port }, hint);
  for (const each of [authority, `localhost:${actualPort}`]) hosts.add(each);
  return { url: `http://${authority}/?token=${token}`, token, close };
}

type Context = Pick<ServeConsoleOptions, "board" | "page"> & {
  readonly hosts: ReadonlySet<string>;
  readonly token: string;
  readonly compressed: Compressed;
};

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  const { method = "", headers } = request;
  const target = URL.parse(request.url ?? "", "http://console.invalid");
  if (target === null) return send(response, 400, "expected a path");
  const { pathname: path, searchParams } = target;
  const { host, origin, authorization } = headers;
  const token = searchParams.get("token") ?? undefined;
  const refusal = refuse({ method, path, host, origin, authorization, token }, context.hosts, context.token);
  if (refusal !== undefined) {
    if (refusal.status === 401) response.setHeader("www-authenticate", "Bearer");
    if (refusal.status === 405) response.setHeader("allow", "GET, HEAD");
    return send(response, refusal.status, refusal.why);
  }
  const file = context.page.get(path);
  if (file !== undefined) return await sendBody(context, request, response, { key: path, ...file });
  const { board } = context;
  const version = `${board.version}`;
  const list = listAt(path, board);
  if (list !== undefined) {
    const etag = `"${version}"`;
    response.setHeader("etag", etag);
    if (headers["if-none-match"] === etag) return send(response, 304);
    return await sendBody(context, request, response, { type: JSON_TYPE, make: () => JSON.stringify(list) });
  }
  if (path === "/v1/rollouts")
    return send(response, 404, "expected a cluster, found another source: it has no Rollouts");
  const { name, file: fileName } = parseNodePath(path);
  if (name === undefined || !board.has(name))
    return send(response, 404, "expected the name of a node, found no such thing");
  if (fileName === undefined) {
    const view = JSON.stringify(await board.nodeView(name, Date.now()));
    return await sendBody(context, request, response, { type: JSON_TYPE, make: () => view });
  }
  const found = (await board.evidence?.read(name))?.files.get(fileName);
  if (found === undefined)
    return send(response, 404, "expected the name of a file of its evidence, found no such thing");
  // Whatever is in it: bytes to keep, nothing to show.
  response.setHeader("content-disposition", "attachment");
  return await sendBody(context, request, response, { type: "application/octet-stream", make: () => found.bytes });
}

/** A document about all that is known. */
function listAt(path: string, board: Board): object | undefined {
  if (path === "/v1/fleet") return board.fleetView(Date.now());
  return path === "/v1/rollouts" ? board.rolloutsView(Date.now()) : undefined;
}

const JSON_TYPE = "application/json; charset=utf-8";

type Body = { readonly type: string } & (
  | { readonly make: () => string | Uint8Array }
  | { readonly key: string; readonly bytes: Uint8Array }
);

async function sendBody(
  { compressed }: Context,
  request: IncomingMessage,
  response: ServerResponse,
  body: Body,
): Promise<void> {
  const plain = "bytes" in body ? Buffer.from(body.bytes) : Buffer.from(body.make());
  response.setHeader("content-type", body.type);
  response.setHeader("vary", "accept-encoding");
  const takesGzip = /\bgzip\b/u.test(request.headers["accept-encoding"] ?? "");
  const isSmall = plain.length < COMPRESSED_FROM_BYTES;
  const bytes = takesGzip && !isSmall ? await compressed.of(plain, "key" in body ? body.key : undefined) : plain;
  if (bytes !== plain) response.setHeader("content-encoding", "gzip");
  response.setHeader("content-length", bytes.length);
  response.end(request.method === "HEAD" ? undefined : bytes);
}

/** The page's files do not change: each is compressed once. */
class Compressed {
  readonly #kept = new Map<string, Buffer>();

  async of(plain: Buffer, key: string | undefined): Promise<Buffer> {
    const kept = key === undefined ? undefined : this.#kept.get(key);
    if (kept !== undefined) return kept;
    const bytes = await promisify(gzip)(plain, { level: key === undefined ? 1 : 9 });
    if (key !== undefined) this.#kept.set(key, bytes);
    return bytes;
  }
}

function send(response: ServerResponse, status: number, text?: string): void {
  response.statusCode = status;
  if (text === undefined) return void response.end();
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`${text}\n`);
}
