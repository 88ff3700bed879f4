import { request } from "node:http";
import { AshlarError, membersOf } from "@ashlar/base";
import type { Method } from "./json-answers.ts";

/** One of our own services on this node. */
export type SocketService = {
  /** As messages call it. */
  readonly name: string;
  /** The unit to look at when it does not answer. */
  readonly unit: string;
  readonly socketPath: string;
};

export type SocketRequest = {
  readonly method: Method;
  readonly path: string;
  readonly body?: string;
  readonly maxBytes: number;
  readonly timeoutMs: number;
};

export type SocketAnswer = { readonly status: number; readonly body: unknown };

/**
 * Asks a service on its Unix socket, in HTTP and JSON.
 *
 * @throws AshlarError `unavailable` when it does not answer, `limit` or `malformed` when its answer is no JSON
 */
export async function askSocket(service: SocketService, asked: SocketRequest): Promise<SocketAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<SocketAnswer>();
  const { name, socketPath } = service;
  const { method, path, body = "", maxBytes, timeoutMs } = asked;
  const headers = { "Content-Length": Buffer.byteLength(body) };
  const outgoing = request({ socketPath, method, path, headers, agent: false }, (incoming) => {
    let text = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.length > maxBytes) {
        outgoing.destroy(new AshlarError("limit", `${name}'s answer: expected at most ${maxBytes} bytes`));
      }
    });
    incoming.on("error", reject);
    incoming.on("end", () => {
      try {
        resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text) });
      } catch {
        reject(new AshlarError("malformed", `${name}'s answer: expected JSON, found something else`));
      }
    });
  });
  outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error("no answer in time")));
  outgoing.on("error", (error) => {
    if (error instanceof AshlarError) reject(error);
    else reject(unavailable(service, error));
  });
  outgoing.end(body);
  return await promise;
}

function unavailable({ name, unit, socketPath }: SocketService, cause: Error): AshlarError {
  return new AshlarError("unavailable", `${name} does not answer at ${socketPath}: ${cause.message}`, {
    hint: `it needs root and ${unit}: see \`systemctl status ${unit}\``,
    cause,
  });
}

/**
 * The body of an answer that is no refusal.
 *
 * @throws AshlarError what the service refused it with
 */
export function bodyOf({ name }: SocketService, { status, body }: SocketAnswer): unknown {
  if (status < 300) return body;
  const { message, hint } = membersOf(membersOf(body)["error"]);
  const code = status === 409 ? "conflict" : "failed";
  const text = typeof message === "string" ? message : `${name} answered with status ${status}`;
  throw new AshlarError(code, text, typeof hint === "string" ? { hint } : {});
}
