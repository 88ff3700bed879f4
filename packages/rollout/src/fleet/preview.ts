import { chooseNodes, isAway, slotsOf } from "./begin.ts";
import { NEW_FLEET, type FleetClock, type FleetNode, type FleetPolicy } from "./fleet.ts";
import { lookAtFleet } from "./look-at-fleet.ts";
import { waveNames } from "./plan-waves.ts";
import { turnMs, windowAt } from "./windows.ts";

/** Who goes when, and what would keep it: nothing of it happens. */
export type Preview = {
  /** How many may be away at once. */
  readonly slots: number;
  /** What keeps everybody now. */
  readonly waitsFor: string | undefined;
  /** In their order; those without nodes are left out. */
  readonly waves: readonly PreviewedWave[];
  readonly skipped: readonly string[];
};

export type PreviewedWave = {
  readonly name: string;
  readonly isApproved: boolean;
  readonly nodes: readonly {
    readonly name: string;
    readonly isDone: boolean;
    readonly blockedBy: string | undefined;
  }[];
};

/** The order that a rollout would have if it began now, with what would keep each node if its turn came now. */
export function previewFleet(policy: FleetPolicy, list: readonly FleetNode[], clock: FleetClock): Preview {
  const { fleet, waitsFor } = lookAtFleet({ ...policy, paused: true }, NEW_FLEET, list, clock);
  const nodes = new Map(list.map((node) => [node.name, node]));
  const away = windowAt(policy.windows, turnMs(policy), clock.nowMs);
  const waves = waveNames(policy).map((name): PreviewedWave => {
    const records = fleet.records.filter(({ wave, state }) => wave === name && state !== "Skipped");
    return {
      name,
      isApproved: policy.approval === "none" || policy.approvedWaves.includes(name),
      nodes: records.map((record) => {
        const { name: node, state } = record;
        // As if it were its turn, and only those were away that are so for another reason.
        const others = fleet.records.filter((each) => each !== record && isAway(each, nodes.get(each.name)));
        const alone = { ...fleet, records: [...others, { ...record, state: "Staged" as const }] };
        const { waits } = chooseNodes(policy, alone, nodes, name, { all: undefined, away });
        return { name: node, isDone: state === "Done", blockedBy: state === "Done" ? undefined : waits.get(node) };
      }),
    };
  });
  return {
    slots: slotsOf(policy, nodes),
    waitsFor: policy.paused || fleet.halt !== undefined ? waitsFor : (policy.refusal ?? away),
    waves: waves.filter((wave) => wave.nodes.length > 0),
    skipped: fleet.records.filter(({ state }) => state === "Skipped").map(({ name }) => name),
  };
}
