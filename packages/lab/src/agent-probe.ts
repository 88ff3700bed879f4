import { askServer } from "./ask-server.ts";

/** The agent's port on a node. */
export const AGENT_PORT = 7443;
export const SSH_PORT = 22;

/**
 * Whether a node's agent answers. Nothing is trusted of the answer, and the agent's key is made anew at each boot: who
 * answers is not asked here but by `ashlar prove`.
 */
export async function agentAnswers(port: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const answer = await askServer({ port, path: "/v1/keys", timeoutMs, signal });
  return answer !== undefined && answer.status < 500;
}

/** The boot that a node's agent says it is in; nothing is trusted of that either. Undefined when it does not answer. */
export async function agentBootId(port: number, timeoutMs: number, signal?: AbortSignal): Promise<string | undefined> {
  const answer = await askServer({ port, path: "/v1/update", timeoutMs, signal });
  return answer?.status === 200 ? /"bootId":\s*"([0-9a-f-]{32,36})"/u.exec(answer.text)?.[1] : undefined;
}
