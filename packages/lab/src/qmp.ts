import { createConnection } from "node:net";
import { AshlarError } from "@ashlar/base";

const MAX_ANSWER_CHARACTERS = 1024 * 1024;

/**
 * Sends one command to a machine's monitor (QEMU Machine Protocol specification) and gives what it returns.
 *
 * @throws AshlarError `unavailable` when the monitor does not answer, `failed` when it refuses the command.
 */
export async function askMonitor(socketPath: string, command: string, timeoutMs = 5000): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const socket = createConnection({ path: socketPath });
  const fail = (what: string): void =>
    reject(new AshlarError("unavailable", `the monitor ${socketPath} did not answer ${command}: ${what}`));
  const timer = setTimeout(() => fail("no answer in time"), timeoutMs);
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text;
    if (received.length > MAX_ANSWER_CHARACTERS) fail("too long an answer");
    const lines = received.split("\n");
    received = lines.pop() ?? "";
    for (const line of lines) onMessage(line);
  });
  const onMessage = (line: string): void => {
    const message = parseMessage(line);
    if ("QMP" in message) {
      socket.write('{"execute":"qmp_capabilities","id":"hello"}\n');
    } else if (message["id"] === "hello") {
      socket.write(`${JSON.stringify({ execute: command, id: "command" })}\n`);
    } else if (message["id"] === "command") {
      if ("return" in message) resolve(message["return"]);
      else reject(new AshlarError("failed", `QEMU refused ${command}: ${JSON.stringify(message["error"])}`));
    }
  };
  socket.on("error", (error) => fail(error.message)).on("close", () => fail("the connection was closed"));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** QEMU is ours, so that a line which is no object is only ignored. */
function parseMessage(line: string): Readonly<Record<string, unknown>> {
  try {
    const message: unknown = JSON.parse(line);
    return typeof message === "object" && message !== null ? { ...message } : {};
  } catch {
    return {};
  }
}

/** What QEMU says of a machine, for example "running" or "internal-error" (`RunState` in its QAPI schema). */
export async function machineStatus(socketPath: string, timeoutMs = 2000): Promise<string> {
  const answer = await askMonitor(socketPath, "query-status", timeoutMs);
  const status = typeof answer === "object" && answer !== null && "status" in answer ? answer.status : undefined;
  return typeof status === "string" ? status : "unknown";
}
