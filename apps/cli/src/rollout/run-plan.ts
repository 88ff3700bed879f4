import { printJson, printLines } from "@ashlar/host/terminal";
import { openCluster } from "../cluster/nodes-of-cluster.ts";
import { withInterruption } from "../interruption.ts";
import { isKept, planDocument, planLines } from "./plan-lines.ts";

export type PlanOptions = { readonly json?: true; readonly kubeconfig?: string; readonly context?: string };

/** @returns the exit status */
export async function runPlan(name: string, options: PlanOptions): Promise<number> {
  const { planRollout } = await import("@ashlar/operator/rollout-plan");
  using cluster = await openCluster(options);
  return await withInterruption(async (signal) => {
    const { rollout, ...sources } = await cluster.rolloutFacts(name, signal);
    const plan = planRollout(rollout, sources, Date.now());
    if (options.json === true) printJson(planDocument(plan));
    else printLines(planLines(plan));
    return isKept(plan) ? 1 : 0;
  });
}
