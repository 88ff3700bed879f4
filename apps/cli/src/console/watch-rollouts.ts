import { messageOf } from "@ashlar/base";
import type { Board } from "@ashlar/gateway";
import { Cluster } from "@ashlar/kube";
import { rolloutsView } from "../rollout/rollout-view.ts";
import { showWatched } from "./show-watched.ts";

type WatchOptions = { readonly kubeconfig?: string; readonly context?: string; readonly signal: AbortSignal };

/** Shows the Rollouts of a cluster as they change, until the signal ends it. Who may not read them sees the nodes all the same. */
export async function watchRollouts(board: Board, { kubeconfig, context, signal }: WatchOptions): Promise<void> {
  using cluster = await Cluster.open({ kubeconfig, context });
  const fail = (error: unknown): void => board.failRollouts(messageOf(error));
  await showWatched({
    open: async () => await cluster.watchRollouts(signal, { onAway: fail }),
    show: (rollouts) => board.putRollouts(rolloutsView(rollouts, Date.now()).rollouts),
    fail,
    signal,
  });
}
