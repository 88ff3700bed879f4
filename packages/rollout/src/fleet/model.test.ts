/** All interleavings of small fleets: what happens, in whatever order, breaks none of the promises that `test-model.ts` checks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NEW_FLEET, type FleetPolicy } from "./fleet.ts";
import type { Phase } from "./look-at-fleet.ts";
import { TEST_POLICY } from "./test-policy.ts";
import type { Disturbance } from "./test-disturbances.ts";
import { Model } from "./test-model.ts";
import { keyOf, type Machine, type World } from "./test-world.ts";

const MACHINE: Machine = {
  power: "up",
  runs: "old",
  boot: 1,
  isReady: true,
  cordon: "none",
  hasPods: true,
  isPresent: true,
  told: 0,
};
const NODES = new Map([
  ["a", { wave: "1" }],
  ["b", { wave: "2" }],
  ["c", { wave: "2" }],
]);
const WAVES = ["1", "2"].map((wave) => ({ name: `wave-${wave}`, selector: { wave } }));

type Explored = { readonly worlds: number; readonly ends: ReadonlySet<Phase> };

/** Visits every world that can be reached. A promise that is broken is told with the way that leads there. */
function explore(change: Partial<FleetPolicy>, kinds: readonly Disturbance[], disturbances: number): Explored {
  const policy: FleetPolicy = { ...TEST_POLICY, waves: WAVES, concurrency: { nodes: 2 }, ...change };
  const model = new Model(policy, NODES, kinds);
  const machines = new Map([...NODES.keys()].map((name) => [name, MACHINE]));
  const begin: World = {
    fleet: NEW_FLEET,
    machines,
    doing: new Map(),
    paused: false,
    attempt: 1,
    exclude: [],
    gate: undefined,
    disturbances,
  };
  const first = model.settled(begin);
  const ways = new Map<string, { readonly from: string; readonly what: string }>([
    [keyOf(first), { from: "", what: "begin" }],
  ]);
  const open: World[] = [first];
  const ends = new Set<Phase>();
  const seen = new Set<string>();
  const wayTo = (key: string): string => {
    const way = ways.get(key);
    return way === undefined ? "" : `${wayTo(way.from)}\n  ${way.what}`;
  };
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    const key = keyOf(world);
    try {
      model.check(world);
      const next = model.next(world);
      if (next.length === 0) model.checkRest(world);
      if (next.length === 0) ends.add(model.look(world).phase);
      for (const { what, world: raw } of next) {
        const rawKey = keyOf(raw);
        if (seen.has(rawKey)) continue;
        seen.add(rawKey);
        const after = model.settled(raw);
        const reached = keyOf(after);
        if (ways.has(reached)) continue;
        ways.set(reached, { from: key, what });
        open.push(after);
      }
    } catch (error) {
      throw new Error(`${(error as Error).message}${wayTo(key)}`, { cause: error });
    }
  }
  return { worlds: ways.size, ends };
}

type Case = readonly [
  change: Partial<FleetPolicy>,
  kinds: readonly Disturbance[],
  disturbances: number,
  /** In which phases it comes to rest. */
  ends: readonly Phase[],
];

const ONCE: Partial<FleetPolicy> = { drains: { attempts: 1, retryMs: 600_000 } };
const SINGLY: Partial<FleetPolicy> = { ...ONCE, concurrency: { nodes: 1 } };
const CANARY: Partial<FleetPolicy> = { ...ONCE, canary: { nodes: 1, soakMs: 0 }, tolerate: 2 };

const CHECKS: Partial<FleetPolicy> = {
  limits: { ...TEST_POLICY.limits, beforeRebootMs: 60_000, afterRebootMs: 60_000 },
};
const GATE = { gates: [{ name: "health", before: "wave" }] } as const;
const NODE_GATE = { gates: [{ name: "health", before: "node" }] } as const;

const CASES: Readonly<Record<string, Case>> = {
  "all that can fail by itself": [{}, [], 0, ["Done", "Halted"]],
  "the operator is killed, twice, at any moment": [ONCE, ["killed"], 2, ["Done", "Halted"]],
  "one may fail": [{ ...ONCE, tolerate: 1 }, [], 0, ["Done", "Halted"]],
  "a canary goes first": [CANARY, [], 0, ["Done", "Halted"]],
  "nodes are removed, and come back": [SINGLY, ["removed"], 2, ["Done", "Halted"]],
  "nodes lose their power": [ONCE, ["off"], 1, ["Done", "Halted", "Waiting"]],
  "nodes are something else": [SINGLY, ["changed"], 1, ["Halted"]],
  "others cordon, and uncordon": [SINGLY, ["cordoned", "uncordoned"], 2, ["Done", "Halted", "Waiting"]],
  "limits pass, and the operator is killed": [SINGLY, ["late", "killed"], 2, ["Done", "Halted"]],
  "people pause, and go on": [SINGLY, ["paused"], 2, ["Done", "Halted"]],
  "people leave a node out": [SINGLY, ["excluded"], 1, ["Done", "Halted"]],
  "people try again": [SINGLY, ["retried"], 1, ["Done", "Halted"]],
  "waves in reverse, and nodes are removed, and come back": [
    { ...SINGLY, reverse: true },
    ["removed"],
    1,
    ["Done", "Halted"],
  ],
  "a gate before each wave opens and closes": [{ ...ONCE, ...GATE }, ["gate"], 1, ["Done", "Halted", "Waiting"]],
  "a gate before each node opens and closes": [{ ...ONCE, ...NODE_GATE }, ["gate"], 1, ["Done", "Halted", "Waiting"]],
  "a gate, and the operator is killed": [{ ...SINGLY, ...NODE_GATE }, ["killed"], 1, ["Done", "Halted", "Waiting"]],
  "others have to agree before and after": [{ ...ONCE, ...CHECKS }, [], 0, ["Done", "Halted"]],
  "others have to agree, and the operator is killed": [{ ...SINGLY, ...CHECKS }, ["killed"], 1, ["Done", "Halted"]],
  "others have to agree, and a node is removed": [{ ...SINGLY, ...CHECKS }, ["removed"], 1, ["Done", "Halted"]],
  "others have to agree, and people leave a node out": [{ ...SINGLY, ...CHECKS }, ["excluded"], 1, ["Done", "Halted"]],
  "a gate, and people try again": [{ ...SINGLY, ...GATE }, ["retried"], 1, ["Done", "Halted", "Waiting"]],
};

for (const [what, [change, kinds, disturbances, ends]] of Object.entries(CASES)) {
  test(what, () => {
    const found = explore(change, kinds, disturbances);
    assert.deepEqual([...found.ends].toSorted(), ends);
    assert.ok(found.worlds > MIN_WORLDS, `it has visited ${found.worlds}`);
  });
}

/** Fewer would mean that nothing much has happened. */
const MIN_WORLDS = 500;
