import { AshlarError } from "@ashlar/base";
import { reportError, reportLine } from "@ashlar/host/terminal";
import type { RolloutView } from "@ashlar/views";
import { openCluster } from "../cluster/nodes-of-cluster.ts";
import { withInterruption } from "../interruption.ts";
import { withRights } from "../cluster/with-rights.ts";
import { printerOf } from "./print-rollouts.ts";
import type { StatusOptions } from "./rollout-options.ts";
import { rolloutsView } from "./rollout-view.ts";

/** Ages grow while nothing else happens. */
const LOOK_MS = 5000;
const HALTED = 1;
const NOT_YET = 2;

/** @returns the exit status */
export async function runStatus(name: string | undefined, options: StatusOptions): Promise<number> {
  using cluster = await openCluster(options);
  return await withInterruption(async (signal) => {
    const onAway = (error: AshlarError): void => reportError(error, "what is shown gets old");
    await using found = await withRights(cluster.watchRollouts(signal, { name, onAway }));
    if (name !== undefined && found.items.length === 0) throw noSuchRollout(name);
    const printer = printerOf(name === undefined ? "all" : "one", options);
    let view = rolloutsView(found.items, Date.now());
    printer.begin(view, Date.now());
    if (options.watch !== true) {
      if (view.rollouts.length === 0) reportLine("there are no Rollouts: docs/guides/rollouts.md says how one is made");
      return name === undefined ? statusOfAll(view.rollouts) : statusOf(view.rollouts[0]);
    }
    const isOver = (): boolean => name !== undefined && isAtEnd(view.rollouts[0]);
    while (!signal.aborted && !isOver()) {
      await found.change(LOOK_MS);
      if (signal.aborted) break;
      view = rolloutsView(found.items, Date.now());
      printer.more(view, Date.now());
      if (name !== undefined && view.rollouts.length === 0) {
        reportLine(`the Rollout ${name} was deleted`);
        return HALTED;
      }
    }
    return name === undefined || signal.aborted ? 0 : statusOf(view.rollouts[0]);
  });
}

export function noSuchRollout(name: string): AshlarError {
  return new AshlarError("not-found", `expected a Rollout ${name}, found none`, {
    hint: "`kubectl get rollouts` lists all; docs/guides/rollouts.md says how one is made",
  });
}

/** It goes on only when somebody says so. What the operator has not looked at yet may not be so any more. */
export function isAtEnd(rollout: RolloutView | undefined): boolean {
  return rollout?.isCurrent === true && ENDS.has(rollout.phase);
}

const ENDS: ReadonlySet<string> = new Set(["Done", "Aborted", "Halted"]);

export function statusOf(rollout: RolloutView | undefined): number {
  if (rollout === undefined || !isAtEnd(rollout)) return NOT_YET;
  return rollout.phase === "Done" ? 0 : HALTED;
}

function statusOfAll(rollouts: readonly RolloutView[]): number {
  // One that was aborted is history.
  const all = rollouts.map((rollout) => (rollout.isCurrent && rollout.phase === "Aborted" ? 0 : statusOf(rollout)));
  return all.includes(HALTED) ? HALTED : Math.max(0, ...all);
}
