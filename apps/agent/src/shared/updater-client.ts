import type { Method } from "./json-answers.ts";
import { askSocket, bodyOf, type SocketAnswer, type SocketService } from "./socket-client.ts";

export type UpdaterRequest = {
  readonly method: Method;
  readonly path: string;
  readonly body?: string;
  readonly maxBytes: number;
};

/** Of silence: it says every few seconds that it is still at work. */
const TIMEOUT_MS = 120_000;

/** @throws AshlarError as `askSocket` */
export async function askUpdater(socketPath: string, asked: UpdaterRequest): Promise<SocketAnswer> {
  return await askSocket(updaterAt(socketPath), { ...asked, timeoutMs: TIMEOUT_MS });
}

/**
 * Asks as root of this node.
 *
 * @throws AshlarError as `askSocket`, and what the updater refused it with
 */
export async function askUpdaterAsRoot(socketPath: string, asked: UpdaterRequest): Promise<unknown> {
  return bodyOf(updaterAt(socketPath), await askUpdater(socketPath, asked));
}

function updaterAt(socketPath: string): SocketService {
  return { name: "the updater", unit: "ashlar-updater.service", socketPath };
}
