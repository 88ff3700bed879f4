import { AshlarError } from "@ashlar/base";
import { printLine, reportLine } from "@ashlar/host/terminal";
import type { Cluster, RolloutObject } from "@ashlar/kube";
import { STATES } from "@ashlar/rollout";
import { openCluster } from "../cluster/nodes-of-cluster.ts";
import { withRights } from "../cluster/with-rights.ts";
import { withInterruption } from "../interruption.ts";
import { printDocument, resourceName } from "./print-rollouts.ts";
import { aborting, type DecideChange, type RolloutChange } from "./rollout-changes.ts";
import { formOf, type AbortOptions, type RolloutOptions } from "./rollout-options.ts";
import { rolloutsView } from "./rollout-view.ts";
import { noSuchRollout } from "./run-status.ts";

/** The operator writes its status every few seconds. */
const MAX_CONFLICTS = 20;
const LOOK_MS = 5000;

/** @returns the exit status */
export async function runChange(name: string, options: RolloutOptions, decide: DecideChange): Promise<number> {
  using cluster = await openCluster(options);
  return await withInterruption(async (signal) => {
    const { rollout, says } = await withRights(change(cluster, name, decide, signal), "ashlar-rollouts");
    print(rollout, says, options);
    return 0;
  });
}

/** @returns the exit status */
export async function runAbort(name: string, options: AbortOptions): Promise<number> {
  using cluster = await openCluster(options);
  return await withInterruption(async (signal) => {
    const { rollout, says } = await withRights(change(cluster, name, aborting, signal), "ashlar-rollouts");
    const ended = options.wait ? await untilHome(cluster, rollout, signal) : rollout;
    print(ended, says, options);
    return 0;
  });
}

function print(rollout: RolloutObject, says: string, options: RolloutOptions): void {
  const form = formOf(options);
  if (form === "json" || form === "yaml") printDocument(form, rolloutsView([rollout], Date.now()));
  else printLine(form === "name" ? resourceName(rollout) : `${resourceName(rollout)} ${says}`);
}

/** Changes it as it was seen, or sees it again when somebody else was faster: nobody's change is undone. */
async function change(
  cluster: Cluster,
  name: string,
  decide: DecideChange,
  signal: AbortSignal,
): Promise<{ readonly rollout: RolloutObject; readonly says: string }> {
  for (let conflicts = 0; ; conflicts += 1) {
    const found = await find(cluster, name, signal);
    const { spec, says }: RolloutChange = decide(found);
    if (spec === undefined) return { rollout: found, says };
    try {
      return { rollout: await cluster.changeRollout(found, spec, signal), says };
    } catch (error) {
      const isConflict = error instanceof AshlarError && error.code === "conflict";
      if (!isConflict || conflicts === MAX_CONFLICTS) throw error;
    }
  }
}

async function find(cluster: Cluster, name: string, signal: AbortSignal): Promise<RolloutObject> {
  try {
    return await cluster.rollout(name, signal);
  } catch (error) {
    if (error instanceof AshlarError && error.code === "not-found" && error.hint === undefined)
      throw noSuchRollout(name);
    throw error;
  }
}

/** Until its nodes have come home. Ctrl-C ends the waiting alone. */
async function untilHome(cluster: Cluster, first: RolloutObject, signal: AbortSignal): Promise<RolloutObject> {
  await using found = await cluster.watchRollouts(signal, { name: first.name });
  let said = "";
  while (true) {
    const rollout = found.items.find(({ uid }) => uid === first.uid);
    if (rollout === undefined) throw new AshlarError("not-found", `the Rollout ${first.name} was deleted meanwhile`);
    const { status, generation } = rollout;
    const isCurrent = status?.observedGeneration === generation;
    if (isCurrent && status.phase === "Aborted") return rollout;
    const says = isCurrent ? whoIsOut(rollout) : "the operator has not looked at it yet: does it run?";
    if (says !== said) reportLine(`${first.name}: ${says}`);
    said = says;
    await found.change(LOOK_MS);
    if (signal.aborted) {
      const hint = "it is aborted all the same: `kubectl ashlar rollout status` says how far it is";
      throw new AshlarError("interrupted", "interrupted while nodes come home", { hint });
    }
  }
}

function whoIsOut({ status }: RolloutObject): string {
  const out = (status?.nodes ?? []).filter(({ state }) => STATES[state].isOut);
  if (out.length === 0) return "its nodes are home";
  return `waits for ${out.map(({ name, state }) => `${name} (${state})`).join(", ")}`;
}
