import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection, createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { withTemporaryDirectory } from "@ashlar/host";
import { startConnectProxy } from "./connect-proxy.ts";

const KUBELET = "10.90.0.11:10250";

/** Behind the proxy: what a kubelet gets, it sends back. */
async function withProxy(work: (path: string, kubelet: Server) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const kubelet = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
    kubelet.listen({ host: "127.0.0.1", port: 0 });
    await once(kubelet, "listening");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
    const { port } = kubelet.address() as AddressInfo;
    const socketPath = join(directory, "proxy");
    const portOf = async (address: string): Promise<number | undefined> => (address === KUBELET ? port : undefined);
    const proxy = await startConnectProxy({ socketPath, portOf });
    try {
      await work(socketPath, kubelet);
    } finally {
      await proxy.close();
      kubelet.close();
    }
  });
}

/** Sends bytes and gives all that comes back until `isDone` or the end. */
async function talk(
  path: string,
  bytes: Uint8Array | string,
  isDone: (text: string) => boolean = () => false,
): Promise<string> {
  const socket = createConnection({ path });
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (isDone(text)) resolve();
  });
  socket.on("error", () => resolve()).on("close", () => resolve());
  socket.write(bytes);
  await promise;
  socket.destroy();
  return text;
}

test("bytes go to a kubelet and back, those that came with the request too", async () => {
  await withProxy(async (path) => {
    const request = `CONNECT ${KUBELET} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nhello`;
    const answer = await talk(path, request, (text) => text.endsWith("hello"));
    assert.match(answer, /^HTTP\/1\.1 200 [^\n]*\r\n\r\nhello$/u);
  });
});

for (const [what, request, expected] of [
  ["another address", "CONNECT 10.90.0.12:10250 HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 403 /u],
  ["this computer", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 403 /u],
  ["another port of a node", "CONNECT 10.90.0.11:22 HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 403 /u],
  ["a long address", `CONNECT ${"a".repeat(300)}:1 HTTP/1.1\r\nHost: a\r\n\r\n`, /^HTTP\/1\.1 403 /u],
  ["another method", "GET http://10.90.0.11:10250/ HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 405 /u],
  ["headers without end", `CONNECT ${KUBELET} HTTP/1.1\r\nA: ${"a".repeat(8192)}`, /^HTTP\/1\.1 431 /u],
] as const) {
  test(`refused: ${what}`, async () => withProxy(async (path) => assert.match(await talk(path, request), expected)));
}

test("a kubelet that does not answer is a bad gateway", async () => {
  await withProxy(async (path, kubelet) => {
    kubelet.close();
    const answer = await talk(path, `CONNECT ${KUBELET} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 502 /u);
  });
});

test("whatever comes, the proxy answers the next one", async () => {
  await withProxy(async (path) => {
    const word = fc.constantFrom("CONNECT", " ", KUBELET, "HTTP/1.1", "\r\n", "\r\n\r\n", "Host: a", "GET /", "\0");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(word, fc.string({ maxLength: 20 })), { maxLength: 12 }), async (words) => {
        const socket = createConnection({ path }).on("error", () => undefined);
        socket.resume().end(words.join(""));
        await once(socket, "close");
      }),
      { numRuns: 100 },
    );
    const request = `CONNECT ${KUBELET} HTTP/1.1\r\nHost: a\r\n\r\nstill here`;
    assert.match(await talk(path, request, (text) => text.endsWith("still here")), /^HTTP\/1\.1 200 /u);
  });
});
