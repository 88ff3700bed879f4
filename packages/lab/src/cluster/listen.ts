import { once } from "node:events";
import type { ListenOptions, Server } from "node:net";
import { rm } from "node:fs/promises";
import { AshlarError, messageOf } from "@ashlar/base";

/** A server at work. */
export type Closable = { readonly close: () => Promise<void> };

/**
 * Resolves when connections are taken. A socket file that a server before has left is replaced.
 *
 * @throws AshlarError `conflict` when somebody else listens there
 */
export async function listen(server: Server, options: Pick<ListenOptions, "path" | "host" | "port">): Promise<void> {
  if (options.path !== undefined) await rm(options.path, { force: true });
  server.listen(options);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new AshlarError("conflict", `cannot listen on ${options.path ?? options.port}: ${messageOf(error)}`);
  }
}

export async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
}
