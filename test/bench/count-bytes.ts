import { createConnection, createServer } from "node:net";

/** Passes TCP connections on to a port, and counts what comes back from there. */
export async function countBytes(port: number): Promise<{ port: number; received: () => number; close: () => void }> {
  let received = 0;
  const proxy = createServer((client) => {
    const upstream = createConnection({ host: "127.0.0.1", port });
    upstream.on("data", (chunk) => (received += chunk.length));
    for (const [end, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      end.pipe(other);
      end.on("error", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new TypeError("expected the address of a TCP server");
  return { port: address.port, received: () => received, close: () => proxy.close() };
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
