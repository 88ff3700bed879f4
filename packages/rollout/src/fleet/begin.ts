import type { Fleet, FleetNode, FleetPolicy, NodeRecord } from "./fleet.ts";
import type { Nodes } from "./membership.ts";
import { STATES } from "./node-state.ts";

/** Each fetches from the repository, which has other things to do. */
const STAGING_AT_ONCE = 8;

/** Who may go on now, and what keeps the others: by name, in words. */
export type Choice = {
  readonly stage: readonly string[];
  readonly drain: readonly string[];
  readonly waits: ReadonlyMap<string, string>;
};

/** What keeps all nodes: `all` from everything, `away` only from being drained and restarted. */
export type Closed = { readonly all: string | undefined; readonly away: string | undefined };

/** Chooses among the nodes of the wave that goes on. Those that are away for another reason count as well. */
export function chooseNodes(
  policy: FleetPolicy,
  { records }: Fleet,
  nodes: Nodes,
  wave: string,
  closed: Closed,
): Choice {
  const away = records.filter((record) => isAway(record, nodes.get(record.name)));
  const waits = new Map<string, string>();
  const stage: string[] = [];
  const drain: string[] = [];
  let staging = records.filter(({ state }) => state === "Staging").length;
  const going = [...away];
  for (const record of records) {
    const { name, state } = record;
    const node = nodes.get(name);
    if (record.wave !== wave || node === undefined || (state !== "Waiting" && state !== "Staged")) continue;
    const why = closed.all ?? unfit(node);
    if (why !== undefined) waits.set(name, why);
    else if (state === "Waiting" && staging >= STAGING_AT_ONCE) waits.set(name, "others fetch the release now");
    else if (state === "Waiting") {
      stage.push(name);
      staging += 1;
    } else {
      const crowded = closed.away ?? crowdedBy(node, going, policy, nodes);
      if (crowded === undefined) {
        drain.push(name);
        going.push(record);
      } else waits.set(name, crowded);
    }
  }
  return { stage, drain, waits };
}

/** It takes no pods now, because of this rollout or for any other reason. Who is left out does not count. */
export function isAway({ state }: NodeRecord, node: FleetNode | undefined): boolean {
  if (STATES[state].isOut) return true;
  if (node === undefined || state === "Skipped") return false;
  return !node.isReady || node.cordon !== "none";
}

/** Why a node is left as it is: what it is now would hide what the release does to it. */
function unfit({ isReady, cordon, proof }: FleetNode): string | undefined {
  if (cordon === "foreign") return "somebody else has cordoned it";
  if (cordon === "ours") return "it is still cordoned from before";
  if (!isReady) return "its Node is not Ready";
  return proof.kind === "proven" ? undefined : `it is not proven: ${proof.message}`;
}

function crowdedBy(
  node: FleetNode,
  going: readonly NodeRecord[],
  policy: FleetPolicy,
  nodes: Nodes,
): string | undefined {
  const others = going.filter(({ name }) => name !== node.name);
  const lone = others.find(({ name }) => nodes.get(name)?.isControlPlane === true);
  if (lone !== undefined) return `${lone.name} of the control plane is away, and nothing else goes meanwhile`;
  const [first] = others;
  if (node.isControlPlane && first !== undefined) {
    return `it is of the control plane, and goes alone: ${first.name} is away`;
  }
  const slots = slotsOf(policy, nodes);
  if (others.length >= slots)
    return `${slots} may be away at once, and ${listOf(others)} ${others.length === 1 ? "is" : "are"}`;
  const { spreadKey } = policy;
  const value = spreadKey === undefined ? undefined : node.labels[spreadKey];
  if (spreadKey === undefined || value === undefined) return undefined;
  const near = others.find(({ name }) => nodes.get(name)?.labels[spreadKey] === value);
  return near === undefined ? undefined : `${near.name} is away, which has ${spreadKey}=${value} too`;
}

/** Of a share at least one, or nothing would ever go. */
export function slotsOf({ concurrency, exclude }: FleetPolicy, nodes: Nodes): number {
  if ("nodes" in concurrency) return concurrency.nodes;
  const count = [...nodes.keys()].filter((name) => !exclude.includes(name)).length;
  return Math.max(1, Math.floor((count * concurrency.percent) / 100));
}

const MAX_LISTED = 5;

function listOf(records: readonly NodeRecord[]): string {
  const names = records.slice(0, MAX_LISTED).map(({ name }) => name);
  return names.join(", ") + (records.length > MAX_LISTED ? ` and ${records.length - MAX_LISTED} more` : "");
}
