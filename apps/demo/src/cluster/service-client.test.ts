import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ServiceClient, type ServiceClientOptions, summarize } from "./service-client.ts";

type Node = { readonly server: Server; readonly port: number; asked: number };

async function startNode(
  answer: "answers" | "breaks off" | "says nothing" | "is not ready" | "is slow",
): Promise<Node> {
  const server = createServer((_, response) => {
    node.asked += 1;
    if (answer === "answers") response.end("web-1");
    else if (answer === "is slow") setTimeout(() => response.end("web-1"), 1500);
    else if (answer === "is not ready") response.writeHead(503).end();
    else if (answer === "breaks off") response.writeHead(200, { "Content-Length": "9" }).flushHeaders();
    if (answer === "breaks off") setTimeout(() => response.destroy(), 5);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const node = { server, port: typeof address === "object" && address !== null ? address.port : 0, asked: 0 };
  return node;
}

/** Asks until the nodes have been asked often enough, however long that takes. */
async function ask(nodes: readonly Node[], isEnough: () => boolean, limits: Partial<ServiceClientOptions> = {}) {
  const ports = nodes.map(({ port }) => port);
  const { signal } = new AbortController();
  const client = new ServiceClient({ ports, signal, intervalMs: 5, firstLimitMs: 60_000, restMs: 60_000, ...limits });
  client.start();
  while (!isEnough()) await sleep(5);
  const counts = await client.stop();
  for (const { server } of nodes) {
    server.closeAllConnections();
    server.close();
  }
  return counts;
}

test("nodes are asked in turn, and every answer counts", async () => {
  const nodes = [await startNode("answers"), await startNode("answers")];
  const counts = await ask(nodes, () => nodes.every(({ asked }) => asked > 5));
  const { asked, failed } = summarize(counts);
  assert.equal(failed, 0);
  assert.equal(
    asked,
    nodes.reduce((sum, node) => sum + node.asked, 0),
  );
});

for (const fault of ["breaks off", "says nothing", "is not ready"] as const) {
  test(`a node that ${fault} costs no request while another answers, and is left alone`, async () => {
    const [bad, good] = [await startNode(fault), await startNode("answers")];
    const limits = fault === "says nothing" ? { firstLimitMs: 4000, intervalMs: 50 } : {};
    const counts = await ask([bad, good], () => bad.asked > 0 && good.asked > 20, limits);
    assert.equal(summarize(counts).failed, 0);
    assert.ok(counts.reduce((sum, { second }) => sum + second, 0) > 0, "the second node was asked");
    assert.ok(bad.asked < good.asked, `${bad.asked} and ${good.asked}`);
  });
}

test("a node that is only slow is asked again when the other one refuses", async () => {
  const [bad, slow] = [await startNode("is not ready"), await startNode("is slow")];
  // The first request goes to the second of them.
  const counts = await ask([bad, slow], () => slow.asked > 1, { firstLimitMs: 500, intervalMs: 2000 });
  assert.match(summarize(counts).words, /^\d+ requests, 0 failed, [1-9]\d* answered when they were asked again$/u);
});

test("what nobody answers has failed", async () => {
  const nodes = [await startNode("is not ready"), await startNode("is not ready")];
  const { asked, failed } = summarize(await ask(nodes, () => nodes.every((node) => node.asked > 3)));
  assert.ok(asked > 2);
  assert.equal(failed, asked);
});

test("a node that has rested is asked again", async () => {
  const [bad, good] = [await startNode("is not ready"), await startNode("answers")];
  await ask([bad, good], () => bad.asked > 3, { restMs: 50 });
  assert.ok(good.asked > 0);
});
