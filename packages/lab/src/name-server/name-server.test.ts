import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { HostResolver, type HostResolverOptions } from "./host-resolver.ts";
import { startNameServer } from "./name-server.ts";

const LOOPBACK = "127.0.0.1";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, "listening");
  // Listening on an address and a port.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** The name server, and a resolver as programs have one that asks it. */
async function started(options: HostResolverOptions) {
  const port = await freePort();
  const server = await startNameServer(port, new HostResolver(options));
  const resolver = new Resolver({ timeout: 20_000, tries: 1 });
  resolver.setServers([`${LOOPBACK}:${port}`]);
  return { port, resolver, close: server.close };
}

/** A name server that knows one address for all names, and counts the questions. */
async function otherServer() {
  const socket = createSocket("udp4");
  const seen = { questions: 0 };
  socket.on("message", (query, sender) => {
    seen.questions += 1;
    const end = query.indexOf(0, 12) + 5;
    const header = Buffer.concat([query.subarray(0, 2), Buffer.from("81800001000100000000", "hex")]);
    const record = Buffer.from("c00c00010001000000050004c0000207", "hex");
    socket.send(Buffer.concat([header, query.subarray(12, end), record]), sender.port, sender.address);
  });
  socket.bind(0, LOOPBACK);
  await once(socket, "listening");
  const { port } = socket.address();
  return { seen, port, close: () => socket.close() };
}

test("what the computer's own name server says is passed on", async () => {
  const other = await otherServer();
  const { resolver, close } = await started({ servers: () => [{ address: LOOPBACK, port: other.port }] });
  assert.deepEqual(await resolver.resolve4("ntp.example.org"), ["192.0.2.7"]);
  await close();
  other.close();
});

test("an answer that there is no such name gets a time for which to remember it", async () => {
  const other = createSocket("udp4").bind(0, LOOPBACK);
  await once(other, "listening");
  other.on("message", (query, { port, address }) => {
    const header = Buffer.concat([query.subarray(0, 2), Buffer.from("81830001000000000000", "hex")]);
    other.send(Buffer.concat([header, query.subarray(12, query.indexOf(0, 12) + 5)]), port, address);
  });
  const { port, close } = await started({ servers: () => [{ address: LOOPBACK, port: other.address().port }] });
  const client = createSocket("udp4");
  client.send(Buffer.from("beef0100000100000000000001610000010001", "hex"), port, LOOPBACK);
  const [answer] = await once(client, "message");
  assert.match(String(answer.toString("hex")), /^beef81830001000000010000016100000100010000060001/u);
  client.close();
  await close();
  other.close();
});

test("where none answers there is no such name, and none is asked again for a while", async () => {
  // It takes datagrams, and says nothing.
  const silent = createSocket("udp4").bind(0, LOOPBACK);
  let questions = 0;
  silent.on("message", () => (questions += 1));
  await once(silent, "listening");
  const servers = [{ address: LOOPBACK, port: silent.address().port }];
  const { resolver, close } = await started({ servers: () => servers, timeoutMs: 100, pauseMs: 3_600_000 });
  for (let round = 0; round < 3; round++) {
    await assert.rejects(resolver.resolve4("ntp.example.org"), { code: "ENOTFOUND" });
  }
  assert.equal(questions, 1);
  await close();
  silent.close();
});

test("a server that refuses, or none at all, is as one that is silent; one that is back is asked again", async () => {
  const other = await otherServer();
  let servers = [{ address: LOOPBACK, port: await freePort() }];
  const { resolver, close } = await started({ servers: () => servers, timeoutMs: 20_000, pauseMs: 0 });
  await assert.rejects(resolver.resolve4("a.example"), { code: "ENOTFOUND" });
  // There is no way to a broadcast address.
  servers = [{ address: "255.255.255.255", port: 53 }];
  await assert.rejects(resolver.resolve4("b.example"), { code: "ENOTFOUND" });
  servers = [];
  await assert.rejects(resolver.resolve4("b.example"), { code: "ENOTFOUND" });
  servers = [{ address: LOOPBACK, port: other.port }];
  assert.deepEqual(await resolver.resolve4("c.example"), ["192.0.2.7"]);
  await close();
  other.close();
});

test("what is no question gets no answer, and ends nothing", async () => {
  const other = await otherServer();
  const { port, resolver, close } = await started({ servers: () => [{ address: LOOPBACK, port: other.port }] });
  const client = createSocket("udp4");
  for (const bytes of ["", "00", "ff".repeat(600)]) client.send(Buffer.from(bytes, "hex"), port, LOOPBACK);
  assert.deepEqual(await resolver.resolve4("after.example"), ["192.0.2.7"]);
  assert.equal(other.seen.questions, 1);
  client.close();
  await close();
  other.close();
});

test("a connection reaches the computer's own name server", async () => {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, LOOPBACK);
  await once(echo, "listening");
  const { port: echoPort } = echo.address() as AddressInfo;
  const { port, close } = await started({ servers: () => [{ address: LOOPBACK, port: echoPort }] });
  const { createConnection } = await import("node:net");
  const client = createConnection({ port, host: LOOPBACK });
  client.write("bytes");
  const [text] = await once(client, "data");
  assert.equal(String(text), "bytes");
  client.end();
  await once(client, "close");
  await close();
  echo.close();
});
