import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { GateServer } from "../decide/gate-server.ts";
import { askServer } from "./ask-server.ts";

const ASKED = { path: "/api/v1/query", contentType: "text/plain", body: "query=1" };
const signal = new AbortController().signal;
const servers: Server[] = [];
const directory = mkdtempSync(join(tmpdir(), "ashlar-gate-"));
after(() => {
  rmSync(directory, { recursive: true });
  for (const server of servers) server.close();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(answer: Answer, path: string = ""): Promise<GateServer> {
  const server = createServer(answer);
  const port = await portOf(server);
  return { url: new URL(`http://127.0.0.1:${port}${path}`), token: "secret-word", ca: undefined };
}

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("what is asked arrives, with the token, below the server's own path; any status is an answer", async () => {
  const seen: unknown[] = [];
  const server = await serve((request, response) => {
    seen.push([request.method, request.url, request.headers.authorization, request.headers["content-type"]]);
    request.resume();
    response.writeHead(503).end("away");
  }, "/base/");
  assert.deepEqual(await askServer(server, ASKED, 5000, signal), { status: 503, body: "away" });
  assert.deepEqual(seen, [["POST", "/base/api/v1/query", "Bearer secret-word", "text/plain"]]);
});

test("no redirect is followed: the token is for one server", async () => {
  let others = 0;
  const other = await serve((_, response) => {
    others += 1;
    response.end("ok");
  });
  const server = await serve((_, response) => response.writeHead(307, { location: other.url.href }).end());
  assert.equal((await askServer(server, ASKED, 5000, signal)).status, 307);
  assert.equal(others, 0);
});

test("who does not answer, or not to its end, is given up in time", async () => {
  const silent = await serve(() => undefined);
  await assert.rejects(askServer(silent, ASKED, 300, signal), { code: "unavailable", message: /no answer for 0 s$/u });
  const endless = await serve((_, response) => {
    response.write("a");
    const timer = setInterval(() => response.write("a"), 50);
    response.once("close", () => clearInterval(timer));
  });
  await assert.rejects(askServer(endless, ASKED, 500, signal), { code: "unavailable" });
  const gone = { ...silent, url: new URL("http://127.0.0.1:1/") };
  await assert.rejects(askServer(gone, ASKED, 5000, signal), (error: Error) => {
    return /127\.0\.0\.1:1: .*ECONNREFUSED/u.test(error.message) && !error.message.includes("secret-word");
  });
  const ended = AbortSignal.abort();
  await assert.rejects(askServer(silent, ASKED, 5000, ended), { code: "interrupted" });
});

test("an answer that is too long is read no further", async () => {
  const server = await serve((_, response) => {
    response.once("error", () => undefined);
    response.end("x".repeat(3 * 1024 * 1024));
  });
  await assert.rejects(askServer(server, ASKED, 10_000, signal), { code: "limit" });
});

test("over TLS it has to be the server that the Secret's certificate means", async () => {
  const files = ["-keyout", join(directory, "key"), "-out", join(directory, "certificate")];
  const about = ["-subj", "/CN=prometheus", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", [...made, ...about, ...files], { stdio: "pipe" });
  const [key = "", cert = ""] = ["key", "certificate"].map((name) => readFileSync(join(directory, name), "utf8"));
  const port = await portOf(createTlsServer({ key, cert }, (_, response) => response.end("ok")));
  const server = { url: new URL(`https://127.0.0.1:${port}`), token: undefined, ca: cert };
  assert.deepEqual(await askServer(server, ASKED, 5000, signal), { status: 200, body: "ok" });
  await assert.rejects(askServer({ ...server, ca: undefined }, ASKED, 5000, signal), { code: "unavailable" });
  const other = { ...server, url: new URL(`https://localhost:${port}`) };
  await assert.rejects(askServer(other, ASKED, 5000, signal), { code: "unavailable" });
});
