import { metricsText } from "@ashlar/watch/metric";
import { processUsage } from "@ashlar/watch";
import { OPERATOR_METRICS, type OperatorFacts } from "./decide/metrics.ts";
import type { Operator } from "./operator.ts";
import type { ServeOperatorOptions } from "./serve-operator.ts";

/** It looks at everything each ten seconds at least. */
const MAX_IDLE_MS = 120_000;

/** How it is with this process: whether it leads, waits, or cannot do either. */
export class Standing {
  #operator: Operator | undefined;
  #unready: string | undefined = "starting: the API server has not answered yet";

  leads(operator: Operator): void {
    this.#operator = operator;
    this.#unready = undefined;
  }

  /** Another one leads. */
  waits(): void {
    this.#unready = undefined;
  }

  /** The API server gives no answer, or none that helps. */
  isAway(why: string): void {
    this.#unready = why;
  }

  /** It leads no longer. */
  ends(): void {
    this.#operator = undefined;
  }

  readonly answers: Pick<ServeOperatorOptions, "illness" | "unready" | "metrics"> = {
    illness: () => {
      const idleMs = this.#operator?.idleMs ?? 0;
      return idleMs > MAX_IDLE_MS ? `nodes were looked at ${Math.round(idleMs / 1000)} s ago` : undefined;
    },
    unready: () => this.#unready,
    metrics: () => {
      const facts = this.#operator?.facts ?? NOTHING;
      const isLeading = this.#operator !== undefined;
      return metricsText(OPERATOR_METRICS, { ...facts, isLeading, usage: processUsage() });
    },
  };
}

const NOTHING: Omit<OperatorFacts, "isLeading" | "usage"> = {
  counters: { asked: { answered: 0, silent: 0 }, askedSeconds: 0 },
  lastAskedMs: undefined,
  nodes: new Map(),
  proofs: new Map(),
  classes: [],
  expires: new Map(),
  rollouts: [],
  held: new Map(),
  nowMs: 0,
};
