import { messageOf } from "@ashlar/base";
import type { Board } from "@ashlar/gateway";
import { Cluster } from "@ashlar/kube";
import { verdictOfProof } from "@ashlar/views";
import { showWatched } from "./show-watched.ts";

type WatchOptions = { readonly kubeconfig?: string; readonly context?: string; readonly signal: AbortSignal };

/** Shows the NodeProofs of a cluster as they change, until the signal ends it. What cannot be read at all ends it at once. */
export async function watchProofs(board: Board, { kubeconfig, context, signal }: WatchOptions): Promise<void> {
  using cluster = await Cluster.open({ kubeconfig, context });
  let isFirst = true;
  await showWatched({
    open: async () => await cluster.watchNodeProofs(signal),
    show: (proofs) => {
      isFirst = false;
      board.put(proofs.map((proof) => verdictOfProof(proof)));
    },
    fail: (error) => {
      if (isFirst) throw error;
      board.fail(messageOf(error));
    },
    signal,
  });
}
