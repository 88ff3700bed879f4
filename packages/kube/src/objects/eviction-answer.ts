import { AshlarError } from "@ashlar/base";
import type { EvictionAnswer } from "@ashlar/rollout";

/** What of an API server's refusal decides. */
export type Refusal = {
  readonly code: number;
  readonly message: string;
  readonly causes: readonly { readonly reason: string; readonly message: string }[];
  readonly retryAfterMs: number | undefined;
};

/**
 * What a refused eviction means (`pkg/registry/core/pod/storage/eviction.go`).
 *
 * @throws AshlarError `privilege` when whoever asks is not known
 */
export function answerOf({ code, message, causes, retryAfterMs }: Refusal): EvictionAnswer {
  if (code === 404) return { kind: "gone" };
  if (code === 429) {
    const budget = causes.find(({ reason }) => reason === "DisruptionBudget");
    // Without that cause it is the server that has too much to do (API priority and fairness).
    if (budget === undefined) return { kind: "busy", message, retryAfterMs };
    return { kind: "budget", message: budget.message === "" ? message : budget.message, retryAfterMs };
  }
  // 409: the pod of that name is another one, or its budget was changed meanwhile: the list of pods decides.
  if (code === 409) return { kind: "busy", message, retryAfterMs };
  if (code === 403 && causes.some(({ reason }) => reason === "NamespaceTerminating")) {
    return { kind: "busy", message, retryAfterMs };
  }
  // The server says 500 for a pod that two budgets match, and means it: only somebody who changes them helps.
  if (code === 500 && /more than one PodDisruptionBudget/u.test(message)) return { kind: "refused", message };
  if (code >= 500) return { kind: "busy", message, retryAfterMs };
  if (code === 401) throw new AshlarError("privilege", message);
  return { kind: "refused", message };
}
