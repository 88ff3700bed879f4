import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { createApi, type Node } from "./api.ts";
import { createHttpsServer } from "./https-server.ts";
import { SerialQueue } from "../shared/serial-queue.ts";
import { ask } from "../test-agent.ts";
import { loadTlsIdentity } from "./tls-identity.ts";
import { TokenBucket } from "./token-bucket.ts";

/** These requests end before a TPM is needed. */
function unreachable(): never {
  throw new Error("a secret detail at /usr/lib/secret.ts:12");
}

const NODE: Node = {
  tlsPublicKey: new Uint8Array(),
  keys: async () => await Promise.reject(new Error("a secret detail at /usr/lib/secret.ts:12")),
  activate: unreachable,
  quoteWithLogs: unreachable,
  verityStatus: unreachable,
  osRelease: unreachable,
  commandLine: unreachable,
};

const directory = mkdtempSync(join(tmpdir(), "ashlar-https-"));
const identity = await loadTlsIdentity(join(directory, "tls.pem"));
const limits = { queue: new SerialQueue(4), requests: new TokenBucket(100, 1000, () => performance.now()) };
const server = createHttpsServer(identity, createApi(NODE, limits)).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
process.once("exit", () => rmSync(directory, { recursive: true }));

const NONCE = Buffer.alloc(32).toString("base64");

const REFUSED: readonly (readonly [
  title: string,
  method: string,
  path: string,
  body: string | undefined,
  status: number,
  code: string,
])[] = [
  ["unknown path", "GET", "/", undefined, 404, "not-found"],
  ["path with a query", "GET", "/v1/keys?x", undefined, 404, "not-found"],
  ["prototype member as path", "GET", "/__proto__", undefined, 404, "not-found"],
  ["wrong method", "POST", "/v1/keys", "{}", 405, "method-not-allowed"],
  ["unusual method", "PROPFIND", "/v1/evidence", undefined, 405, "method-not-allowed"],
  ["no body", "POST", "/v1/evidence", undefined, 400, "malformed"],
  ["not JSON", "POST", "/v1/evidence", "{", 400, "malformed"],
  ["not an object", "POST", "/v1/evidence", "[]", 400, "malformed"],
  ["deep JSON", "POST", "/v1/evidence", "[".repeat(4000), 400, "malformed"],
  ["unknown member", "POST", "/v1/evidence", JSON.stringify({ nonce: NONCE, extra: 1 }), 400, "malformed"],
  ["nonce of a wrong type", "POST", "/v1/evidence", '{"nonce":5}', 400, "malformed"],
  [
    "nonce of 15 bytes",
    "POST",
    "/v1/evidence",
    JSON.stringify({ nonce: Buffer.alloc(15).toString("base64") }),
    400,
    "malformed",
  ],
  [
    "nonce of 65 bytes",
    "POST",
    "/v1/evidence",
    JSON.stringify({ nonce: Buffer.alloc(65).toString("base64") }),
    400,
    "malformed",
  ],
  ["nonce that is no base64", "POST", "/v1/evidence", '{"nonce":"!!!!!!!!!!!!!!!!!!!!!!!!"}', 400, "malformed"],
  ["large body", "POST", "/v1/evidence", "x".repeat(5000), 413, "limit"],
  ["very large body", "POST", "/v1/evidence", "x".repeat(300_000), 413, "limit"],
  [
    "credential with a wrong size",
    "POST",
    "/v1/activate",
    '{"credentialBlob":"AAUAAAAA","encryptedSecret":"AAIAAA=="}',
    400,
    "malformed",
  ],
  ["something unexpected", "GET", "/v1/keys", undefined, 500, "failed"],
];

for (const [title, method, path, body, status, code] of REFUSED) {
  await test(`refused: ${title}`, async () => {
    const answer = await ask(undefined, port, method, path, body);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers["content-type"], "application/json");
    const { error } = JSON.parse(answer.text) as { error: { code: string; message: string } };
    assert.equal(error.code, code);
    assert.doesNotMatch(answer.text, /secret|\.ts/u);
  });
}

const NOT_HTTP: readonly (readonly [title: string, bytes: string, status: string])[] = [
  ["not HTTP at all", "\u0000\u0001\u0002\r\n\r\n", "400"],
  ["headers without end", `GET /v1/keys HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, "431"],
  ["two lengths", "POST /v1/evidence HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "400"],
  [
    "length and chunks",
    "POST /v1/evidence HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "400",
  ],
];

for (const [title, bytes, status] of NOT_HTTP) {
  await test(`refused on the connection: ${title}`, async () => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    socket.write(bytes, "latin1");
    let text = "";
    for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} `, "u"));
    assert.ok("error" in (JSON.parse(text.slice(text.indexOf("\r\n\r\n"))) as object));
  });
}

await test("a request that does not end in time ends its connection, and so does the last of 100", async () => {
  assert.deepEqual([server.headersTimeout, server.requestTimeout], [10_000, 20_000]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const connections = new Set<unknown>();
  for (let asked = 0; asked < 101; asked++) {
    const to = { port, host: "127.0.0.1", path: "/v1/evidence", method: "POST", agent, rejectUnauthorized: false };
    const outgoing = request(to).end("{");
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    await incoming.toArray();
    connections.add(outgoing.socket);
  }
  agent.destroy();
  assert.equal(connections.size, 2);
});

await test("the agent answers three requests itself", () => {
  const asked = [...createApi(NODE, limits)].flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert.deepEqual(asked, ["GET /v1/keys", "POST /v1/activate", "POST /v1/evidence"]);
});

await test("older TLS is refused", async () => {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, maxVersion: "TLSv1.2" });
  const [error] = await once(socket, "error");
  assert.match(String(error), /protocol version/u);
});

await test("too many connections are dropped", async () => {
  const sockets = Array.from({ length: 70 }, () => connect({ port, host: "127.0.0.1", rejectUnauthorized: false }));
  const outcomes = await Promise.all(
    sockets.map(async (socket) => {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      socket
        .once("secureConnect", () => resolve(true))
        .once("error", () => resolve(false))
        .once("close", () => resolve(false));
      return await promise;
    }),
  );
  for (const socket of sockets) socket.destroy();
  const accepted = outcomes.filter(Boolean).length;
  // Connections of the tests before may not be gone yet.
  assert.ok(accepted >= 60 && accepted <= 64, `${accepted} connections`);
});

server.close();
server.closeAllConnections();
