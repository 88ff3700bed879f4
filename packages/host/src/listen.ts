import { once } from "node:events";
import { rm } from "node:fs/promises";
import type { ListenOptions, Server } from "node:net";
import { AshlarError, messageOf } from "@ashlar/base";

/** A server at work. */
export type Closable = { readonly close: () => Promise<void> };

/**
 * Resolves when connections are taken. A socket file that a server before has left is replaced.
 *
 * @throws AshlarError `conflict` when somebody else listens there, `usage` when nobody can
 */
export async function listen(
  server: Server,
  options: Pick<ListenOptions, "path" | "host" | "port">,
  hint?: string,
): Promise<void> {
  if (options.path !== undefined) await rm(options.path, { force: true });
  server.listen(options);
  try {
    await once(server, "listening");
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const what = `cannot listen on ${options.path ?? options.port}: ${messageOf(error)}`;
    throw new AshlarError(isTaken ? "conflict" : "usage", what, { ...(hint !== undefined && { hint }), cause: error });
  }
}

export async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
}
