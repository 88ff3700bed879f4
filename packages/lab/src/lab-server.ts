/** What the servers of a lab have in common: they listen on ports that never change, and are found again by their arguments. */
import { createConnection } from "node:net";
import { AshlarError } from "@ashlar/base";
import { findProcesses, isPortFree, type FoundProcess } from "@ashlar/host";

/**
 * A word for a server's arguments by which it is known, the place that Node.js would write its diagnostic reports to: no
 * other lab has this directory.
 */
export function markOf(directory: string): string {
  return `--diagnostic-dir=${directory}`;
}

/** The servers that were started with this mark as their first argument. */
export async function markedProcesses(mark: string): Promise<FoundProcess[]> {
  return await findProcesses((argv) => argv[1] === mark);
}

/** @throws AshlarError `conflict` when another program has taken the port */
export async function requireFreePort(port: number, what: string): Promise<void> {
  if (await isPortFree(port)) return;
  throw new AshlarError("conflict", `expected TCP port ${port} to be free for ${what}`, {
    hint: "end what listens there: the port is part of what the lab's nodes were declared to be",
  });
}

/** Whether somebody takes connections there. */
export async function accepts(place: { readonly path: string } | { readonly port: number }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection("path" in place ? place : { host: "127.0.0.1", ...place });
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
