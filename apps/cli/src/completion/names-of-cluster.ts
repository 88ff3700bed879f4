import { openCluster } from "../cluster/nodes-of-cluster.ts";

/** Whoever has pressed a key waits. */
const PATIENCE_MS = 5000;

/** The names of a cluster's NodeProofs. */
export async function namesOfCluster(choice: {
  readonly kubeconfig?: string;
  readonly context?: string;
}): Promise<readonly string[]> {
  using cluster = await openCluster(choice);
  await using proofs = await cluster.watchNodeProofs(AbortSignal.timeout(PATIENCE_MS));
  return proofs.items.map(({ name }) => name);
}
