import { request } from "node:https";

/** The agent's port on a node. */
export const AGENT_PORT = 7443;
export const SSH_PORT = 22;

/**
 * Whether a node's agent answers. Nothing is trusted of the answer, and the agent's key is made anew at each boot: who
 * answers is not asked here but by `ashlar prove`.
 */
export async function agentAnswers(port: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = request(
    { host: "127.0.0.1", port, path: "/v1/keys", rejectUnauthorized: false, agent: false, timeout: timeoutMs },
    (response) => {
      response.resume();
      resolve(response.statusCode !== undefined && response.statusCode < 500);
    },
  );
  const timer = setTimeout(() => resolve(false), timeoutMs);
  probe.on("error", () => resolve(false)).on("timeout", () => resolve(false));
  signal?.addEventListener("abort", () => resolve(false), { once: true });
  probe.end();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    probe.destroy();
  }
}
