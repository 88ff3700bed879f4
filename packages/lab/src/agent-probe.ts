import type { IncomingMessage } from "node:http";
import { request } from "node:https";

/** The agent's port on a node. */
export const AGENT_PORT = 7443;
export const SSH_PORT = 22;

const MAX_ANSWER_BYTES = 128 * 1024;

/**
 * Whether a node's agent answers. Nothing is trusted of the answer, and the agent's key is made anew at each boot: who
 * answers is not asked here but by `ashlar prove`.
 */
export async function agentAnswers(port: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const answer = await askAgent(port, "/v1/keys", timeoutMs, signal);
  return answer !== undefined && answer.status < 500;
}

/** The boot that a node's agent says it is in; nothing is trusted of that either. Undefined when it does not answer. */
export async function agentBootId(port: number, timeoutMs: number, signal?: AbortSignal): Promise<string | undefined> {
  const answer = await askAgent(port, "/v1/update", timeoutMs, signal);
  return answer?.status === 200 ? /"bootId":\s*"([0-9a-f-]{32,36})"/u.exec(answer.text)?.[1] : undefined;
}

type Answer = { readonly status: number; readonly text: string };

async function askAgent(
  port: number,
  path: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
  const nothing = (): void => resolve(undefined);
  const probe = request(
    { host: "127.0.0.1", port, path, rejectUnauthorized: false, agent: false, timeout: timeoutMs },
    (response) => void readAnswer(response).then(resolve, nothing),
  );
  const timer = setTimeout(nothing, timeoutMs);
  probe.on("error", nothing).on("timeout", nothing);
  signal?.addEventListener("abort", nothing, { once: true });
  probe.end();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    probe.destroy();
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
