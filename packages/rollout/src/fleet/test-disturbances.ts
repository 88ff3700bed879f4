/** What can come from outside at any time, for the model checker. */
import { late, withMachine, type Machine, type Named, type World } from "./test-world.ts";

export type Disturbance =
  | "killed"
  | "removed"
  | "off"
  | "cordoned"
  | "uncordoned"
  | "late"
  | "changed"
  | "paused"
  | "retried"
  | "excluded"
  | "gate";

type Disturb = (world: World) => readonly Named[];

export const DISTURBANCES: Readonly<Record<Disturbance, Disturb>> = {
  killed: (world) => [{ what: "the operator is killed", world: { ...world, doing: new Map(), gate: undefined } }],
  gate: (world) => {
    const { gate } = world;
    if (gate === undefined) return [];
    return [{ what: "the gate opens or closes", world: { ...world, gate: { ...gate, isOpen: !gate.isOpen } } }];
  },
  removed: (world) =>
    changeEach(world, ({ isPresent, boot }) =>
      isPresent
        ? { isPresent: false, power: "up", cordon: "none" }
        : { isPresent: true, boot: boot + 1, isReady: true, cordon: "none", hasPods: true },
    ),
  off: (world) => changeEach(world, ({ power }) => (power === "up" ? { power: "down", isReady: false } : undefined)),
  cordoned: (world) => changeEach(world, ({ cordon }) => (cordon === "none" ? { cordon: "foreign" } : undefined)),
  uncordoned: (world) =>
    changeEach(world, ({ cordon }) => (cordon === "none" ? undefined : { cordon: "none", hasPods: true })),
  changed: (world) =>
    changeEach(world, ({ runs, power }) => (runs === "odd" || power === "down" ? undefined : { runs: "odd" })),
  late: (world) => world.fleet.records.map(({ name }) => late(world, name)),
  paused: (world) => [{ what: "pause or go on", world: { ...world, paused: !world.paused } }],
  retried: (world) => [
    {
      what: "tried again",
      world: {
        ...world,
        attempt: world.attempt + 1,
        machines: new Map([...world.machines].map(([name, machine]) => [name, { ...machine, told: 0 }])),
      },
    },
  ],
  excluded: (world) =>
    [...world.machines.keys()].map((name) => ({ what: `${name} is left out`, world: { ...world, exclude: [name] } })),
};

function changeEach(world: World, change: (machine: Machine) => Partial<Machine> | undefined): readonly Named[] {
  return [...world.machines].flatMap(([name, machine]) => {
    const to = change(machine);
    return to === undefined ? [] : [{ what: `${name} ${JSON.stringify(to)}`, world: withMachine(world, name, to) }];
  });
}
