/** A TCP proxy with the speed of a network link, shared by all its connections. */
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export type SlowLink = { readonly port: number; readonly close: () => void };

/** Passes connections on to a port of this machine; what comes back is held to `bytesPerSecond`. */
export async function openSlowLink(targetPort: number, bytesPerSecond: number): Promise<SlowLink> {
  // When the link has carried all that was given to it so far.
  let freeAtMs = 0;
  const carry = async (upstream: Socket, client: Socket): Promise<void> => {
    for await (const chunk of upstream) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("expected a socket of bytes");
      const nowMs = performance.now();
      freeAtMs = Math.max(freeAtMs, nowMs) + (chunk.length / bytesPerSecond) * 1000;
      await sleep(freeAtMs - nowMs);
      if (!client.write(chunk)) await once(client, "drain");
    }
    client.end();
  };
  const server = createServer((client) => {
    const upstream = createConnection({ host: "127.0.0.1", port: targetPort });
    client.on("error", () => upstream.destroy()).pipe(upstream);
    carry(upstream, client).catch(() => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("expected the address of a TCP server");
  return { port: address.port, close: () => server.close() };
}
