import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@ashlar/base";
import type { Board } from "@ashlar/gateway";
import { Cluster } from "@ashlar/kube";
import { rolloutsView } from "../rollout/rollout-view.ts";

type WatchOptions = { readonly kubeconfig?: string; readonly context?: string; readonly signal: AbortSignal };

const LOOK_MS = 30_000;
const PAUSE_MS = 15_000;

/** Shows the Rollouts of a cluster as they change, until the signal ends it. Who may not read them sees the nodes all the same. */
export async function watchRollouts(board: Board, { kubeconfig, context, signal }: WatchOptions): Promise<void> {
  using cluster = await Cluster.open({ kubeconfig, context });
  const onAway = (error: Error): void => board.failRollouts(error.message);
  while (!signal.aborted) {
    try {
      await using found = await cluster.watchRollouts(signal, { onAway });
      while (!signal.aborted) {
        board.putRollouts(rolloutsView(found.items, Date.now()).rollouts);
        await found.change(LOOK_MS);
      }
    } catch (error) {
      if (signal.aborted) return;
      board.failRollouts(messageOf(error));
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
