import type { Server } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";

/**
 * Ends the servers of a process after `timeoutMs` without a connection and without work, or when the process is asked to end; then
 * nothing holds the process any more. A connection that comes meanwhile waits in systemd's socket and starts the next one.
 *
 * `isBusy`: whether the process has work that outlasts the connection which ordered it.
 */
export function endWhenIdle(servers: readonly Server[], timeoutMs: number, isBusy: () => boolean = () => false): void {
  let connections = 0;
  const close = (): void => servers.forEach((server) => void server.close());
  const closeUnlessBusy = (): void => {
    if (isBusy()) timer = setTimeout(closeUnlessBusy, timeoutMs);
    else close();
  };
  let timer = setTimeout(closeUnlessBusy, timeoutMs);
  for (const server of servers) {
    server.on("connection", (socket) => {
      connections += 1;
      clearTimeout(timer);
      socket.once("close", () => {
        connections -= 1;
        if (connections === 0 && server.listening) timer = setTimeout(closeUnlessBusy, timeoutMs);
      });
    });
    server.once("close", () => clearTimeout(timer));
  }
  process.once("SIGTERM", close);
}
