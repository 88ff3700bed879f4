import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { AshlarError, messageOf } from "@ashlar/base";
import { readBody } from "@ashlar/host";
import type { GateServer } from "../decide/gate-server.ts";

export type Asked = { readonly path: string; readonly contentType: string; readonly body: string };

/** A query's answer has some numbers. Who sends more means something else. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Sends a POST, and gives what comes back, whatever its status. No redirect is followed: the token is for this server.
 *
 * @param path appended to the server's URL
 * @throws AshlarError `unavailable` (no answer in time), `limit`, `interrupted`
 */
export async function askServer(
  { url, token, ca }: GateServer,
  { path, contentType, body }: Asked,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: string }> {
  const inTime = AbortSignal.timeout(timeoutMs);
  const target = new URL(url);
  if (path !== "") target.pathname = target.pathname.replace(/\/$/u, "") + path;
  const headers = {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "user-agent": "ashlar",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const options = { method: "POST", headers, agent: false, signal: AbortSignal.any([signal, inTime]) } as const;
  try {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent =
      target.protocol === "https:"
        ? requestHttps(target, { ...options, ...(ca === undefined ? {} : { ca }) }, resolve)
        : requestHttp(target, options, resolve);
    sent.once("error", reject);
    sent.end(body);
    const response = await promise;
    const bytes = await readBody(response, MAX_ANSWER_BYTES);
    if (bytes !== undefined) return { status: response.statusCode ?? 0, body: bytes.toString("utf8") };
    throw new AshlarError("limit", `expected an answer of at most ${MAX_ANSWER_BYTES} bytes, found a longer one`);
  } catch (error) {
    if (signal.aborted) throw new AshlarError("interrupted", "interrupted", { cause: error });
    if (error instanceof AshlarError) throw error;
    const why = inTime.aborted ? `no answer for ${Math.round(timeoutMs / 1000)} s` : messageOf(error);
    throw new AshlarError("unavailable", `${target.host}: ${why}`, { cause: error });
  }
}
