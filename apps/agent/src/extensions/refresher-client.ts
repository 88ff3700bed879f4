import { createConnection } from "node:net";
import type { NodePaths } from "../shared/node-paths.ts";
import { askSocket, bodyOf } from "../shared/socket-client.ts";

export const REFRESH_PATH = "/v1/refresh";

const MAX_ANSWER_BYTES = 64 * 1024;
/** As long as a refresh may wait for another one, and its own time. */
const TIMEOUT_MS: number = 10 * 60_000;

/**
 * Has everything that is on the node now verified, measured and merged.
 *
 * @throws AshlarError why that could not be done at all
 */
export async function requestRefresh({
  refresherSocket: socketPath,
}: Pick<NodePaths, "refresherSocket">): Promise<void> {
  const service = { name: "the refresher", unit: "ashlar-refresher.socket", socketPath };
  const limits = { maxBytes: MAX_ANSWER_BYTES, timeoutMs: TIMEOUT_MS };
  bodyOf(service, await askSocket(service, { method: "POST", path: REFRESH_PATH, ...limits }));
}

/** Has systemd start the refresher. Whether that succeeds shows when it is asked for something. */
export function wakeRefresher({ refresherSocket }: Pick<NodePaths, "refresherSocket">): void {
  createConnection(refresherSocket)
    .on("error", () => undefined)
    .end();
}
