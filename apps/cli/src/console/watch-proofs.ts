import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@ashlar/base";
import type { Board } from "@ashlar/gateway";
import { Cluster } from "@ashlar/kube";
import { verdictOfProof } from "@ashlar/views";

type WatchOptions = { readonly kubeconfig?: string; readonly context?: string; readonly signal: AbortSignal };

/** How long something may go on without being looked at again. */
const LOOK_MS = 30_000;
const PAUSE_MS = 15_000;

/** Shows the NodeProofs of a cluster as they change, until the signal ends it. */
export async function watchProofs(board: Board, { kubeconfig, context, signal }: WatchOptions): Promise<void> {
  using cluster = await Cluster.open({ kubeconfig, context });
  let isFirst = true;
  while (!signal.aborted) {
    try {
      await using proofs = await cluster.watchNodeProofs(signal);
      isFirst = false;
      while (!signal.aborted) {
        board.put(proofs.items.map((proof) => verdictOfProof(proof)));
        await proofs.change(LOOK_MS);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isFirst) throw error;
      board.fail(messageOf(error));
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
