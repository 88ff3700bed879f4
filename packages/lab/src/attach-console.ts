import { printLines, reportLine } from "@ashlar/host/terminal";
import { existsSync } from "node:fs";
import { createConnection } from "node:net";
import { AshlarError } from "@ashlar/base";
import { consoleTail } from "./console-log.ts";
import type { NodePaths } from "./lab-paths.ts";

/** Ctrl-], as in telnet. */
const ESCAPE = 0x1d;
const SHOWN_LINES = 20;

/**
 * Connects standard input and output to a machine's serial console until Ctrl-] is typed, input ends, or the machine goes
 * off. Ctrl-C goes to the machine.
 *
 * @throws AshlarError `unavailable` when the machine is off.
 */
export async function attachConsole(node: NodePaths): Promise<void> {
  if (!existsSync(node.consoleSocket)) throw notRunning();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { stdin, stdout } = process;
  const socket = createConnection({ path: node.consoleSocket });
  const onInput = (bytes: Buffer): void => {
    const end = bytes.indexOf(ESCAPE);
    socket.write(end === -1 ? bytes : bytes.subarray(0, end));
    if (end !== -1) resolve();
  };
  socket.on("error", () => reject(notRunning())).on("close", resolve);
  socket.once("connect", () => {
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.on("data", onInput);
    stdin.once("end", resolve);
    socket.pipe(stdout, { end: false });
  });
  reportLine(`the console so far is in ${node.console}; Ctrl-] leaves`);
  printLines(await consoleTail(node.console, SHOWN_LINES));
  try {
    await promise;
  } finally {
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.off("data", onInput).pause();
    socket.destroy();
    reportLine("");
  }
}

function notRunning(): AshlarError {
  return new AshlarError("unavailable", "the machine is not running", {
    hint: "start it with `ashlar lab start NODE`",
  });
}
