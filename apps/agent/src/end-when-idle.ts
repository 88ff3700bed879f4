import type { Server } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";

/**
 * Ends the server after `timeoutMs` without a connection, or when the process is asked to end; then nothing holds the
 * process any more. A connection that comes meanwhile waits in systemd's socket and starts the next one.
 */
export function endWhenIdle(server: Server, timeoutMs: number): void {
  let connections = 0;
  const close = (): void => void server.close();
  let timer = setTimeout(close, timeoutMs);
  server.on("connection", (socket) => {
    connections += 1;
    clearTimeout(timer);
    socket.once("close", () => {
      connections -= 1;
      if (connections === 0 && server.listening) timer = setTimeout(close, timeoutMs);
    });
  });
  server.once("close", () => clearTimeout(timer));
  process.once("SIGTERM", close);
}
