import type { FleetNode, FleetPolicy, NodeRecord } from "./fleet.ts";

/** Waves that are there without being declared. */
export const CANARY = "canary";
export const REST = "rest";
export const CONTROL_PLANE = "control-plane";

type Placed = Pick<FleetNode, "name" | "labels" | "isControlPlane">;

const BY_NAME = new Intl.Collator("en", { numeric: true });

/** By their names, with node-9 before node-10. */
export function inOrder<Item extends { readonly name: string }>(items: readonly Item[]): readonly Item[] {
  return items.toSorted((a, b) => BY_NAME.compare(a.name, b.name));
}

type WavePolicy = Pick<FleetPolicy, "canary" | "waves" | "reverse">;

/**
 * The names of all waves in their order: the canary, the declared ones, the rest, and the control plane at the end. In reverse those who
 * went last go back first.
 */
export function waveNames({ canary, waves, reverse }: WavePolicy): readonly string[] {
  const names = [...(canary === undefined ? [] : [CANARY]), ...waves.map(({ name }) => name), REST, CONTROL_PLANE];
  return reverse ? names.toReversed() : names;
}

/** The wave of a node by what it is, whoever is the canary. */
export function ownWave({ labels, isControlPlane }: Placed, { waves }: Pick<FleetPolicy, "waves">): string {
  const found = waves.find(({ selector }) =>
    Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value),
  );
  return found?.name ?? (isControlPlane ? CONTROL_PLANE : REST);
}

/**
 * In which wave each node goes that has none yet. Who is added while a later wave goes on goes with that one: what was
 * proven before stays proven. While the canary goes on, another node takes the place of one that is gone or left out.
 *
 * @param current the wave that goes on; undefined when all are over
 */
export function assignWaves(
  policy: WavePolicy,
  records: readonly NodeRecord[],
  nodes: readonly Placed[],
  current: string | undefined,
): ReadonlyMap<string, string> {
  const names = waveNames(policy);
  const least = current === undefined ? 0 : names.indexOf(current);
  const known = new Map(records.map((record) => [record.name, record]));
  const assigned = new Map<string, string>();
  for (const node of nodes) {
    if (known.has(node.name)) continue;
    const own = names.indexOf(ownWave(node, policy));
    assigned.set(node.name, names[Math.max(own, least)] ?? REST);
  }
  for (const name of nextCanaries(policy, records, nodes, current)) assigned.set(name, CANARY);
  return assigned;
}

function nextCanaries(
  { canary }: Pick<FleetPolicy, "canary">,
  records: readonly NodeRecord[],
  nodes: readonly Placed[],
  current: string | undefined,
): readonly string[] {
  if (canary === undefined || (current !== CANARY && records.length > 0)) return [];
  const serving = records.filter(({ wave, state }) => wave === CANARY && state !== "Gone" && state !== "Skipped");
  const known = new Map(records.map((record) => [record.name, record]));
  const free = nodes.filter(({ name }) => {
    const record = known.get(name);
    return record === undefined || (record.wave !== CANARY && record.state === "Waiting");
  });
  const workers = free.filter(({ isControlPlane }) => !isControlPlane);
  const candidates = inOrder(workers.length === 0 ? free : workers);
  return candidates.slice(0, Math.max(0, canary.nodes - serving.length)).map(({ name }) => name);
}
