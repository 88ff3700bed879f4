import { createConnection, createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";

export type LockOptions = {
  /** Told to whoever finds the lock taken, for example "ashlar lab up, process 123". */
  readonly holder: string;
  /** How long to wait for the lock. Default: not at all. */
  readonly waitMs?: number;
};

/**
 * Does `work` while no other process of this machine does work under the same name.
 *
 * The lock is a listening socket in Linux's abstract namespace (unix(7)): the kernel frees it when its process ends in
 * whatever way, so that a lock is never stale and there is no file to remove.
 *
 * @throws AshlarError `conflict` when the lock is still taken after `waitMs`; the message names the holder.
 */
export async function withLock<T>(name: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const path = `\0ashlar/${name}`;
  const deadline = performance.now() + (options.waitMs ?? 0);
  let server = await listen(path, options.holder);
  while (server === undefined) {
    if (performance.now() >= deadline) {
      throw new AshlarError("conflict", `${name} is in use by ${await askHolder(path)}`, {
        hint: "wait until it has finished",
      });
    }
    await sleep(RETRY_MS);
    server = await listen(path, options.holder);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}

const RETRY_MS = 100;
const ANSWER_TIMEOUT_MS = 500;
const MAX_HOLDER_CHARACTERS = 200;

/** The listening socket, or undefined when another process has it. */
async function listen(path: string, holder: string): Promise<Server | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>();
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(holder);
  });
  server.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE") resolve(undefined);
    else reject(error);
  });
  server.listen({ path }, () => resolve(server));
  return await promise;
}

async function askHolder(path: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = "";
  const socket = createConnection({ path });
  const finish = (): void => {
    socket.destroy();
    resolve(answer === "" ? "another process" : answer.slice(0, MAX_HOLDER_CHARACTERS));
  };
  socket.setTimeout(ANSWER_TIMEOUT_MS, finish);
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
    if (answer.length > MAX_HOLDER_CHARACTERS) finish();
  });
  socket.on("end", finish).on("error", finish);
  return await promise;
}
