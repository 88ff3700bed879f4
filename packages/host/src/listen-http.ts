import { once } from "node:events";
import type { Server } from "node:http";
import { listen, type Closable } from "./listen.ts";

/** A server that takes requests. */
export type ListeningHttp = Closable & {
  /** As in a URL, for example `127.0.0.1:8080` or `[::1]:8080`. */
  readonly authority: string;
  readonly port: number;
};

/**
 * Takes requests at an address. Closing it ends the connections that are there.
 *
 * @param port 0: any that is free
 * @param hint what to do when it cannot
 * @throws AshlarError `conflict` when somebody else listens there, `usage` when nobody can
 */
export async function listenHttp(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  hint: string,
): Promise<ListeningHttp> {
  await listen(server, { host, port }, hint);
  const address = server.address();
  const actualPort = typeof address === "object" && address !== null ? address.port : port;
  return {
    authority: `${host.includes(":") ? `[${host}]` : host}:${actualPort}`,
    port: actualPort,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
