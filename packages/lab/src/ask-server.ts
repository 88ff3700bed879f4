import type { IncomingMessage } from "node:http";
import { request } from "node:https";

const MAX_ANSWER_BYTES = 128 * 1024;

export type Question = {
  /** On this machine. */
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Whose certificates are trusted. Without: nobody's, and nothing is believed of the answer. */
  readonly ca?: Uint8Array;
};

export type Answer = { readonly status: number; readonly text: string };

/** One HTTPS request to a server of the lab. Undefined when no answer comes in time, or from somebody else. */
export async function askServer({ port, path, timeoutMs, signal, ca }: Question): Promise<Answer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
  const nothing = (): void => resolve(undefined);
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca: Buffer.from(ca) };
  const asked = request(
    { host: "127.0.0.1", port, path, ...trust, agent: false, timeout: timeoutMs },
    (response) => void readAnswer(response).then(resolve, nothing),
  );
  const timer = setTimeout(nothing, timeoutMs);
  asked.on("error", nothing).on("timeout", nothing);
  signal?.addEventListener("abort", nothing, { once: true });
  asked.end();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    asked.destroy();
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  let text = "";
  response.setEncoding("latin1");
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > MAX_ANSWER_BYTES) break;
  }
  return { status: response.statusCode ?? 0, text };
}
