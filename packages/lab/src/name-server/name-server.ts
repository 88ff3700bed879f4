import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { AshlarError } from "@ashlar/base";
import { isUnmemorable, nameError, parseDnsQuery, type DnsQuery } from "./dns-message.ts";
import type { HostResolver } from "./host-resolver.ts";

export type NameServer = { readonly close: () => Promise<void> };

const LOOPBACK = "127.0.0.1";
/** Questions that are being asked at a time: more are as lost on the way. */
const MAX_PENDING = 256;
const MAX_CONNECTIONS = 32;
const CONNECTION_TIMEOUT_MS = 10_000;

/**
 * The name server of a lab's machines: what this computer's own say or, where none of these answers, that there is no such
 * name. Without an answer, or with one that it may not remember, the resolver of a machine would ask again and again.
 */
export async function startNameServer(port: number, resolver: HostResolver): Promise<NameServer> {
  const socket = createSocket("udp4");
  let pending = 0;
  socket.on("message", (message, sender) => {
    if (pending < MAX_PENDING) void reply(message, sender);
  });
  const reply = async (message: Buffer, sender: RemoteInfo): Promise<void> => {
    pending += 1;
    try {
      const answer = await answerTo(message, resolver);
      // Who has asked may be gone.
      if (answer !== undefined) socket.send(answer, sender.port, sender.address, () => undefined);
    } finally {
      pending -= 1;
    }
  };
  socket.bind({ port, address: LOOPBACK, exclusive: true });
  await once(socket, "listening");
  // Answers that do not fit into a datagram are asked for over TCP.
  const server = createServer((client) => connectToHost(client, resolver)).listen({ port, host: LOOPBACK });
  server.maxConnections = MAX_CONNECTIONS;
  await once(server, "listening");
  return {
    close: async () => {
      socket.close();
      server.close();
      await once(server, "close");
    },
  };
}

async function answerTo(message: Buffer, resolver: HostResolver): Promise<Buffer | undefined> {
  let query: DnsQuery;
  try {
    query = parseDnsQuery(message);
  } catch (error) {
    if (error instanceof AshlarError) return undefined;
    throw error;
  }
  const answer = await resolver.ask(message, query);
  if (answer === "lost") return undefined;
  return answer === "silent" || isUnmemorable(answer) ? nameError(query) : answer;
}

/** Passes bytes on, and looks at none. */
function connectToHost(client: Socket, { server }: HostResolver): void {
  if (server === undefined) return void client.destroy();
  const upstream = createConnection({ host: server.address, port: server.port });
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.setTimeout(CONNECTION_TIMEOUT_MS, () => from.destroy());
    from.on("error", () => from.destroy()).on("close", () => to.destroy());
    from.pipe(to);
  }
}
