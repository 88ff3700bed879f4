import assert from "node:assert/strict";
import { request } from "node:http";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { EMPTY_VERDICT, type NamedVerdict } from "@ashlar/identity";
import type { FleetView, NodeView } from "@ashlar/views";
import { Board } from "./board.ts";
import { serveConsole } from "./serve-console.ts";

const file = { bytes: Buffer.from("quote"), sizeBytes: 5, sha256: "0".repeat(64) };
const board = new Board({
  kind: "lab",
  name: "lab",
  maxAgeSeconds: 60,
  evidence: { read: async () => await Promise.resolve({ measured: null, files: new Map([["quote.msg", file]]) }) },
});
const page = new Map([["/", { type: "text/html; charset=utf-8", bytes: Buffer.from("<!doctype html>".padEnd(5000)) }]]);
const server = await serveConsole({ board, page, host: "127.0.0.1", port: 0 });
after(async () => await server.close());
const { port } = new URL(server.url);

type Answer = { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: Buffer };

async function get(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
    );
  })
    .on("error", reject)
    .end();
  return await promise;
}

const authorization = `Bearer ${server.token}`;

function named(name: string, level: NamedVerdict["level"] = "proven"): NamedVerdict {
  return { ...EMPTY_VERDICT, name, level, differences: [] };
}

test("without the token: 401, whatever is asked for; with another host: 421; nothing is remembered", async () => {
  for (const path of [
    "/",
    "/v1/fleet",
    "/v1/nodes/a",
    "/nothing",
    "/v1/fleet?token=",
    `/v1/fleet?token=${server.token}x`,
  ]) {
    const { status, headers, body } = await get(path);
    assert.equal(status, 401, path);
    assert.equal(headers["www-authenticate"], "Bearer");
    assert.equal(headers["set-cookie"], undefined);
    assert.match(body.toString(), /open the URL that ashlar console has printed/u);
  }
  assert.equal((await get("/v1/fleet", { authorization, host: `evil.example:${port}` })).status, 421);
  assert.equal((await get("/v1/fleet", { authorization, origin: "http://evil.example" })).status, 403);
  assert.equal((await get("/v1/fleet", { authorization }, "POST")).status, 405);
  assert.equal((await get("//", { authorization })).status, 400);
});

test("every answer forbids inline script, other origins, frames and caches", async () => {
  for (const path of [`/?token=${server.token}`, "/v1/fleet", "/page.js"]) {
    const { headers } = await get(path);
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /^default-src 'none'; script-src 'self';/u);
    assert.doesNotMatch(policy, /unsafe|http|data:|\*/u);
    assert.match(policy, /frame-ancestors 'none'; require-trusted-types-for 'script'/u);
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["access-control-allow-origin"], undefined);
  }
});

test("the fleet as JSON, before the first answer, with one, and when asking has failed", async () => {
  const fleet = async (): Promise<FleetView> => JSON.parse((await get("/v1/fleet", { authorization })).body.toString());
  assert.deepEqual([(await fleet()).nodes, (await fleet()).asking], [[], true]);
  const provedAtMs = Date.parse("2026-03-01T00:00:00Z");
  board.put([
    { verdict: named("node-1"), provedAtMs },
    { verdict: named("a/b", "unknown"), provedAtMs: undefined },
  ]);
  const view = await fleet();
  assert.deepEqual(Object.keys(view), ["schema", "at", "maxAgeSeconds", "source", "asking", "problem", "nodes"]);
  assert.ok(Math.abs(Date.parse(view.at) - Date.now()) < 60_000);
  assert.deepEqual(view.nodes[0], {
    name: "node-1",
    level: "proven",
    release: null,
    identity: null,
    class: null,
    nextBoot: null,
    provedAt: "2026-03-01T00:00:00.000Z",
    difference: null,
    differences: 0,
  });
  board.fail("the API server is away");
  const failed = await fleet();
  assert.deepEqual([failed.problem, failed.nodes.length], ["the API server is away", 2]);
});

test("what has not changed is not sent again", async () => {
  const first = await get("/v1/fleet", { authorization });
  const etag = String(first.headers["etag"]);
  assert.equal((await get("/v1/fleet", { authorization, "if-none-match": etag })).status, 304);
  board.begin();
  assert.equal((await get("/v1/fleet", { authorization, "if-none-match": etag })).status, 200);
});

test("a node, its evidence as a download, and nothing beside them", async () => {
  const { body } = await get("/v1/nodes/node-1", { authorization });
  const view: NodeView = JSON.parse(body.toString());
  assert.deepEqual(view.evidence, [{ name: "quote.msg", sizeBytes: 5, sha256: file.sha256 }]);
  assert.equal((await get("/v1/nodes/a%2Fb", { authorization })).status, 200);
  const download = await get("/v1/nodes/node-1/evidence/quote.msg", { authorization });
  assert.equal(download.body.toString(), "quote");
  assert.equal(download.headers["content-disposition"], "attachment");
  assert.equal(download.headers["content-type"], "application/octet-stream");
  for (const path of ["/v1/nodes/none", "/v1/nodes/", "/v1/nodes/%", "/v1/nodes/node-1/evidence/..%2Fpins.json", "/v1"])
    assert.equal((await get(path, { authorization })).status, 404, path);
});

test("what is large is compressed for who takes it", async () => {
  const plain = await get("/", { authorization });
  const { headers, body } = await get("/", { authorization, "accept-encoding": "gzip, br" });
  assert.equal(headers["content-encoding"], "gzip");
  assert.ok(body.length < plain.body.length);
  assert.deepEqual(gunzipSync(body), plain.body);
});

test("a port that is taken is said to be", async () => {
  await assert.rejects(serveConsole({ board, page, host: "127.0.0.1", port: Number(port) }), { code: "conflict" });
});
