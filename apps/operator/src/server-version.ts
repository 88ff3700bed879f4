import { AshlarError, messageOf } from "@ashlar/base";
import type { OperatedCluster } from "@ashlar/kube";

export type ServerVersionOptions = {
  readonly cluster: Pick<OperatedCluster, "serverVersion">;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
  readonly wake: () => void;
};

/** It changes when somebody updates the control plane, which a Rollout may wait for. */
const AGAIN_MS = 60_000;
const AGAIN_AFTER_FAULT_MS = 5000;

/** The API server's version, asked for only while somebody wants to know it. */
export class ServerVersion {
  readonly #options: ServerVersionOptions;
  #known: string | undefined;
  #nextMs = 0;

  constructor(options: ServerVersionOptions) {
    this.#options = options;
  }

  /** As it was last known; undefined before the first answer. */
  get(): string | undefined {
    const nowMs = performance.now();
    if (nowMs >= this.#nextMs) {
      this.#nextMs = nowMs + AGAIN_MS;
      void this.#ask();
    }
    return this.#known;
  }

  async #ask(): Promise<void> {
    const { cluster, signal, onLine, wake } = this.#options;
    try {
      const found = await cluster.serverVersion(signal);
      if (found === this.#known) return;
      this.#known = found;
      wake();
    } catch (error) {
      this.#nextMs = performance.now() + AGAIN_AFTER_FAULT_MS;
      const isPassing = error instanceof AshlarError && (error.code === "interrupted" || error.code === "unavailable");
      if (!isPassing) onLine(`the API server's version: ${messageOf(error)}`);
    }
  }
}
