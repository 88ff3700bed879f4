import { request } from "node:http";
import { AshlarError } from "@ashlar/base";
import type { Method } from "../json-answers.ts";

export type UpdaterAnswer = { readonly status: number; readonly body: unknown };

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

/**
 * Asks the updater on its Unix socket.
 *
 * @throws AshlarError `unavailable` when it does not answer, `limit` or `malformed` when its answer is no JSON
 */
export async function askUpdater(socketPath: string, asked: UpdaterRequest): Promise<UpdaterAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<UpdaterAnswer>();
  const { method, path, body = "", key, maxBytes } = asked;
  const headers = { "Content-Length": Buffer.byteLength(body), ...(key === undefined ? {} : { [KEY_HEADER]: key }) };
  const outgoing = request({ socketPath, method, path, headers, agent: false }, (incoming) => {
    let text = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.length > maxBytes) {
        outgoing.destroy(new AshlarError("limit", `the updater's answer: expected at most ${maxBytes} bytes`));
      }
    });
    incoming.on("error", reject);
    incoming.on("end", () => {
      try {
        resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text) });
      } catch {
        reject(new AshlarError("malformed", "the updater's answer: expected JSON, found something else"));
      }
    });
  });
  outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error("no answer in time")));
  outgoing.on("error", (error) => {
    if (error instanceof AshlarError) reject(error);
    else reject(unavailable(socketPath, error));
  });
  outgoing.end(body);
  return await promise;
}

function unavailable(socketPath: string, cause: Error): AshlarError {
  return new AshlarError("unavailable", `the updater does not answer at ${socketPath}: ${cause.message}`, {
    hint: "it needs root and ashlar-updater.socket: see `systemctl status ashlar-updater.socket`",
    cause,
  });
}
