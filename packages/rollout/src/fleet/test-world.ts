/** A small fleet for the model checker: its machines, its cluster, and how far whoever carries out jobs there has come. */
import type { Fleet, NodeRecord } from "./fleet.ts";

export type Machine = {
  /** `down`: it restarts, or is powered off. */
  readonly power: "up" | "down";
  readonly runs: "old" | "new" | "odd";
  /** Numbers of boots. */
  readonly boot: number;
  readonly isReady: boolean;
  readonly cordon: "none" | "ours" | "foreign";
  readonly hasPods: boolean;
  readonly isPresent: boolean;
  /** How often it was told to restart in this attempt. */
  readonly told: number;
};

/** How far whoever carries out a job is. What is not here follows from the machine and the record. */
export type Doing = "beginning" | "gate-passed" | "ordered" | "given-back" | "uncordoned";

export type World = {
  readonly fleet: Fleet;
  readonly machines: ReadonlyMap<string, Machine>;
  /** By node. Only these are lost with the process. */
  readonly doing: ReadonlyMap<string, Doing>;
  readonly paused: boolean;
  readonly attempt: number;
  readonly exclude: readonly string[];
  /** What was read of the gate, and which nodes had come to an end then. Lost with the process. */
  readonly gate: { readonly point: string; readonly isOpen: boolean; readonly ended: readonly string[] } | undefined;
  /** How many more disturbances may come. */
  readonly disturbances: number;
};

export type Named = { readonly what: string; readonly world: World };

export const NOW_MS = 1_000_000;
/** Longer ago than any limit. */
const LONG_AGO_MS = -1e12;

export function late(world: World, name: string): Named {
  const records = world.fleet.records.map((record) =>
    record.name === name ? { ...record, sinceMs: LONG_AGO_MS } : record,
  );
  return { what: `much time passes for ${name}`, world: { ...world, fleet: { ...world.fleet, records } } };
}

export function withMachine(world: World, name: string, to: Partial<Machine>): World {
  const machine = world.machines.get(name);
  return machine === undefined
    ? world
    : { ...world, machines: new Map(world.machines).set(name, { ...machine, ...to }) };
}

export function withDoing(world: World, name: string, doing: Doing): World {
  return { ...world, doing: new Map(world.doing).set(name, doing) };
}

export function withoutDoing(world: World, name: string): World {
  return { ...world, doing: new Map([...world.doing].filter(([other]) => other !== name)) };
}

const TEXTS = new WeakMap<object, string>();

function textOf<T extends object>(value: T, make: (value: T) => string): string {
  const text = TEXTS.get(value) ?? make(value);
  TEXTS.set(value, text);
  return text;
}

/** Tells worlds apart, but for texts. */
export function keyOf({ fleet, machines, doing, paused, attempt, exclude, gate, disturbances }: World): string {
  let key = `${fleet.attempt}${fleet.halt === undefined}${paused}${attempt}${exclude.join()}${disturbances}`;
  if (gate !== undefined) key += Object.values(gate).join();
  for (const record of fleet.records) key += textOf(record, recordText);
  for (const [name, machine] of machines) key += `;${textOf(machine, machineText)}${doing.get(name) ?? ""}`;
  return key;
}

function recordText({ name, wave, state, sinceMs, restartedFrom, drains, returnsTo }: NodeRecord): string {
  return `;${[name, wave, state, sinceMs === NOW_MS ? 0 : 1, restartedFrom, drains, returnsTo].join()}`;
}

function machineText(machine: Machine): string {
  return Object.values(machine).join();
}
