import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "./interruption.ts";

export type DaemonOptions = {
  /** Gets standard output and standard error; made anew. */
  readonly logPath: string;
  /** Whether the program is at work, asked until it is so. */
  readonly isReady: () => Promise<boolean>;
  readonly timeoutMs: number;
  /** Ends the program while it is not ready yet. */
  readonly signal?: AbortSignal | undefined;
};

const POLL_MS = 25;
const SHOWN_LOG_CHARACTERS = 2000;
/** Each line goes to where the file ends then: who cuts the log meanwhile gets no hole in it (open(2)). */
const LOG_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;

/**
 * Starts a program that outlives this process, in a session of its own, so that Ctrl-C at our terminal does not reach it.
 * Resolves when it is ready.
 *
 * @throws AshlarError `missing-tool` when it is not installed, `failed` when it ends or is not ready in time (the message
 * holds the end of its log), `interrupted`. It has ended then.
 */
export async function startDaemon(program: string, args: readonly string[], options: DaemonOptions): Promise<void> {
  const log = openSync(options.logPath, LOG_FLAGS, 0o600);
  const child = spawn(program, args, { detached: true, stdio: ["ignore", log, log], cwd: "/" });
  closeSync(log);
  let ended: string | undefined;
  child.once("error", (error: NodeJS.ErrnoException) => {
    ended = error.code === "ENOENT" ? "not installed" : error.message;
  });
  child.once("exit", (code, signal) => {
    ended ??= code === null ? `was ended by ${signal}` : `ended with status ${code}`;
  });
  const deadline = performance.now() + options.timeoutMs;
  while (!(await options.isReady())) {
    if (ended === "not installed") {
      throw new AshlarError("missing-tool", `the program ${program} is not installed`);
    }
    if (options.signal?.aborted === true) child.kill("SIGKILL");
    throwIfInterrupted(options.signal);
    if (performance.now() >= deadline) {
      child.kill("SIGKILL");
      ended ??= `was not ready within ${options.timeoutMs / 1000} s`;
    }
    if (ended !== undefined) {
      const text = (await readFile(options.logPath, "utf8")).trim().slice(-SHOWN_LOG_CHARACTERS);
      throw new AshlarError("failed", `${program} ${ended}${text === "" ? "" : `: ${text}`}`);
    }
    await sleep(POLL_MS);
  }
  child.removeAllListeners();
  child.unref();
}
