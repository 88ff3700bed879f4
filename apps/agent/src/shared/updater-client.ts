import type { Method } from "./json-answers.ts";
import { askSocket, bodyOf, type SocketAnswer, type SocketService } from "./socket-client.ts";

export type UpdaterRequest = {
  readonly method: Method;
  readonly path: string;
  readonly body?: string;
  /** The key of whoever gave the order from outside; without one it is root of this node. */
  readonly key?: string | undefined;
  readonly maxBytes: number;
};

/** The header in which the agent tells the updater who gave an order. */
export const KEY_HEADER = "ashlar-operator-key";

/** Reading both slots' trees takes seconds on a slow disk. */
const TIMEOUT_MS = 120_000;

/** @throws AshlarError as `askSocket` */
export async function askUpdater(socketPath: string, { key, ...asked }: UpdaterRequest): Promise<SocketAnswer> {
  const headers = key === undefined ? {} : { [KEY_HEADER]: key };
  return await askSocket(updaterAt(socketPath), { ...asked, headers, timeoutMs: TIMEOUT_MS });
}

/**
 * Asks as root of this node.
 *
 * @throws AshlarError as `askSocket`, and what the updater refused it with
 */
export async function askUpdaterAsRoot(socketPath: string, asked: Omit<UpdaterRequest, "key">): Promise<unknown> {
  return bodyOf(updaterAt(socketPath), await askUpdater(socketPath, asked));
}

function updaterAt(socketPath: string): SocketService {
  return { name: "the updater", unit: "ashlar-updater.socket", socketPath };
}
