import { openCluster } from "../cluster/nodes-of-cluster.ts";

/** Whoever has pressed a key waits. */
const PATIENCE_MS = 5000;

/** The names of a cluster's NodeProofs or Rollouts. */
export async function namesOfCluster(
  kind: "nodeproof" | "rollout",
  choice: { readonly kubeconfig?: string; readonly context?: string },
): Promise<readonly string[]> {
  using cluster = await openCluster(choice);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  await using found = await (kind === "rollout" ? cluster.watchRollouts(signal) : cluster.watchNodeProofs(signal));
  return found.items.map(({ name }) => name);
}
