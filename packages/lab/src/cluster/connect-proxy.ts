import { createServer, type IncomingMessage } from "node:http";
import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import { closeServer, listen, type Closable } from "@ashlar/host";

export type ProxyOptions = {
  readonly socketPath: string;
  /** The port of this computer's 127.0.0.1 behind which HOST:PORT is. Undefined: nothing of the lab has that address. */
  readonly portOf: (address: string) => Promise<number | undefined>;
};

const MAX_CONNECTIONS = 512;
const MAX_HEADER_BYTES = 4 * 1024;
const MAX_TARGET_CHARACTERS = 255;
const HEADERS_TIMEOUT_MS = 10_000;
/** QEMU takes a connection at once, whether or not the machine behind it does. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * How the API server reaches kubelets: the machines' addresses exist between the machines only, so it asks for each
 * connection here (CONNECT, RFC 9110, section 9.3.6), and gets the port that is forwarded into the machine. Only this user
 * can open the socket; who asks for anything else than the lab's kubelets is refused.
 */
export async function startConnectProxy({ socketPath, portOf }: ProxyOptions): Promise<Closable> {
  const open = new Set<Duplex>();
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: HEADERS_TIMEOUT_MS,
    },
    (_, response) => response.writeHead(405, { Allow: "CONNECT", Connection: "close" }).end(),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => client.destroy());
    connectThrough(request.url ?? "", client, head, portOf).catch(() => refuse(client, "502 Bad Gateway"));
  });
  await listen(server, { path: socketPath });
  return {
    close: async () => {
      for (const client of open) client.destroy();
      server.closeAllConnections();
      await closeServer(server);
    },
  };
}

async function connectThrough(
  target: string,
  client: Duplex,
  head: Buffer,
  portOf: ProxyOptions["portOf"],
): Promise<void> {
  const port = target.length > MAX_TARGET_CHARACTERS ? undefined : await portOf(target);
  if (port === undefined) return refuse(client, "403 Forbidden");
  if (client.destroyed) return;
  const upstream = createConnection({ host: "127.0.0.1", port });
  upstream.setTimeout(CONNECT_TIMEOUT_MS, () => upstream.destroy());
  let connected = false;
  upstream.once("connect", () => {
    connected = true;
    upstream.setTimeout(0);
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) upstream.write(head);
    client.pipe(upstream).pipe(client);
  });
  upstream.on("error", () => upstream.destroy());
  upstream.on("close", () => (connected ? client.destroy() : refuse(client, "502 Bad Gateway")));
  client.on("close", () => upstream.destroy());
}

function refuse(client: Duplex, status: string): void {
  if (!client.destroyed) client.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}
