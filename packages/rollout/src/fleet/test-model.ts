/**
 * What happens to a small fleet, one atomic action at a time, and what must hold all the while. What is decided is decided by the real
 * functions alone.
 */
import assert from "node:assert/strict";
import { isAway } from "./begin.ts";
import type { Fleet, FleetNode, FleetPolicy, NodeRecord } from "./fleet.ts";
import { lookAtFleet, type FleetLook, type Job } from "./look-at-fleet.ts";
import { hasLeft, isBegun, STATES, type NodeState } from "./node-state.ts";
import { waveNames } from "./plan-waves.ts";
import { DISTURBANCES, type Disturbance } from "./test-disturbances.ts";
import {
  late,
  NOW_MS,
  withDoing,
  withMachine,
  withoutDoing,
  type Doing,
  type Machine,
  type Named,
  type World,
} from "./test-world.ts";
import { afterEvent, type NodeEvent } from "./transition.ts";

export class Model {
  readonly #policy: FleetPolicy;
  readonly #labels: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly #kinds: readonly Disturbance[];
  readonly #looks: WeakMap<World, FleetLook> = new WeakMap();

  constructor(
    policy: FleetPolicy,
    labels: ReadonlyMap<string, Readonly<Record<string, string>>>,
    kinds: readonly Disturbance[],
  ) {
    this.#policy = policy;
    this.#labels = labels;
    this.#kinds = kinds;
  }

  get #firstState(): NodeState {
    return this.#policy.limits.beforeRebootMs > 0 ? "BeforeReboot" : "Draining";
  }

  /** How many may be away at once. */
  get #limit(): number {
    return "nodes" in this.#policy.concurrency ? this.#policy.concurrency.nodes : 1;
  }

  policyIn({ paused, attempt, exclude }: World): FleetPolicy {
    return { ...this.#policy, paused, attempt, exclude };
  }

  /** Once for each world. */
  look(world: World): FleetLook {
    const known = this.#looks.get(world) ?? this.#lookAt(world);
    this.#looks.set(world, known);
    return known;
  }

  #lookAt(world: World): FleetLook {
    const nodes = [...world.machines].flatMap(([name, machine]) =>
      machine.isPresent ? [this.#seen(name, machine)] : [],
    );
    const { gate } = world;
    const gates = new Map(
      gate === undefined ? [] : this.#policy.gates.map(({ name }) => [name, { ...gate, message: "closed" }]),
    );
    return lookAtFleet(this.policyIn(world), world.fleet, nodes, { nowMs: NOW_MS, gates });
  }

  #seen(name: string, { power, runs, isReady, cordon }: Machine): FleetNode {
    const proof = {
      old: { kind: "proven", release: "1.0.0" },
      new: { kind: "proven", release: this.#policy.target },
      odd: { kind: "mismatch", message: "odd" },
    } as const;
    const labels = this.#labels.get(name) ?? {};
    const isUp = power === "up";
    return {
      name,
      labels,
      isControlPlane: Object.hasOwn(labels, "control-plane"),
      isReady: isUp && isReady,
      cordon,
      proof: isUp ? proof[runs] : { kind: "unknown", message: "silent" },
    };
  }

  /** The operator has looked, and written down what follows. Checks what must hold whenever it begins something. */
  settled(world: World): World {
    const { fleet, jobs } = this.look(world);
    const after = { ...world, fleet };
    for (const record of fleet.records) {
      const before = world.fleet.records.find(({ name }) => name === record.name);
      if (before?.state !== record.state && record.state === this.#firstState) this.#checkBegin(after, record);
      if (before?.state !== record.state && record.state === "Done") this.#checkDone(after, record.name);
    }
    // Whoever does what is no longer to be done is stopped, between two actions.
    const doing = [...world.doing].filter(([name]) => isSameJob(jobs.get(name), world.fleet, fleet, name));
    return { ...after, doing: new Map(doing) };
  }

  /** Whoever begins does so after a gate that was read open since the others came to their ends. */
  #checkGate({ fleet, gate }: World, { name, wave }: NodeRecord): void {
    const names = waveNames(this.#policy);
    for (const { before } of this.#policy.gates) {
      const others = fleet.records.filter((record) => record.name !== name && wasTaken(record));
      if (before === "wave" && others.some((record) => record.wave === wave)) continue;
      assert.ok(gate?.isOpen === true, `${name} begins, and a gate is closed`);
      const former = others.filter((record) => STATES[record.state].isEnd && names.includes(record.wave));
      for (const { name: other } of former) {
        assert.ok(gate.ended.includes(other), `${name} begins, and the gate was read before ${other} came to its end`);
      }
    }
  }

  #checkBegin(world: World, beginning: NodeRecord): void {
    const { name, wave } = beginning;
    const { fleet, machines } = world;
    this.#checkGate(world, beginning);
    assert.equal(fleet.halt, undefined, "nobody is begun after a halt");
    const nodes = new Map([...machines].map(([each, machine]) => [each, this.#seen(each, machine)]));
    const away = fleet.records.filter((record) =>
      isAway(record, machines.get(record.name)?.isPresent ? nodes.get(record.name) : undefined),
    );
    assert.ok(away.length <= this.#limit, `${away.length} are away when ${name} begins`);
    const names = waveNames(this.#policy);
    for (const other of fleet.records) {
      if (names.indexOf(other.wave) >= names.indexOf(wave) || other.state === "Skipped" || other.state === "Gone")
        continue;
      const isTolerated = other.state === "Failed" || other.state === "FellBack";
      if (isTolerated && this.#policy.tolerate > 0) continue;
      const machine = machines.get(other.name);
      const isProven = machine?.power === "up" && machine.runs === "new";
      assert.ok(other.state === "Done" && isProven, `${name} begins, and ${other.name} of a former wave is not proven`);
    }
  }

  #checkDone({ machines }: World, name: string): void {
    const machine = machines.get(name);
    assert.ok(
      machine !== undefined && machine.runs === "new",
      `${name} counts as done, and is not proven at the target`,
    );
  }

  /** What must hold always. */
  check(world: World): void {
    const { fleet, machines } = world;
    const out = fleet.records.filter(({ state }) => STATES[state].isOut && state !== "Held");
    assert.ok(out.length <= this.#limit, `${out.map(({ name }) => name).join()} are out at once`);
    for (const { name, state } of fleet.records) {
      const machine = machines.get(name);
      assert.ok((machine?.told ?? 0) <= 1, `${name} was told to restart twice`);
      const isOurs = machine?.isPresent === true && machine.cordon === "ours";
      assert.ok(STATES[state].isOut || !isOurs, `${name} is ${state}, and still cordoned by us`);
    }
    const { phase } = this.look(world);
    if (phase !== "Done") return;
    const isGated = this.#policy.gates.length > 0 && fleet.records.some((record) => wasTaken(record));
    assert.ok(!isGated || world.gate?.isOpen === true, "the rollout is done, and a gate is closed");
    for (const { name, state } of fleet.records) {
      const isLeft = state === "Skipped" || state === "Gone" || state === "Failed" || state === "FellBack";
      assert.ok(isLeft || machines.get(name)?.runs === "new", `the rollout is done, and ${name} is not`);
    }
  }

  /** Nothing more happens by itself: then either all is done, or it is said what keeps it. */
  checkRest(world: World): void {
    const { phase, waitsFor } = this.look(world);
    const { records } = world.fleet;
    const busy = records.filter(
      ({ state, name }) => STATES[state].isOut && state !== "Held" && world.machines.get(name)?.power === "up",
    );
    assert.deepEqual(busy, [], "nobody is left on the way");
    if (phase === "Done") return;
    const waiting = records.filter(({ state }) => state === "Waiting" || state === "Staged");
    assert.ok(
      waitsFor !== undefined || waiting.some(({ message }) => message !== ""),
      `rests as ${phase}, and does not say why`,
    );
  }

  /** All that can happen next, before the operator has looked at it. */
  next(world: World): readonly Named[] {
    const steps = [...this.look(world).jobs].flatMap(([name, job]) => this.#act(world, name, job));
    const powered = [...world.machines].flatMap(([name, machine]) => this.#boots(world, name, machine));
    const retried = world.fleet.records.flatMap((record) =>
      record.state === "Blocked" && record.sinceMs === NOW_MS ? [late(world, record.name)] : [],
    );
    return [...steps, ...powered, ...retried, ...this.#reads(world), ...this.#disturbed(world)];
  }

  /** A gate that has to be read is read: open, or closed. */
  #reads(world: World): readonly Named[] {
    const [question] = this.look(world).gates;
    if (question === undefined || question.point === world.gate?.point) return [];
    const { point } = question;
    const records = world.fleet.records.filter((record) => wasTaken(record) && STATES[record.state].isEnd);
    const ended = records.map(({ name }) => name);
    return [true, false].map((isOpen) => ({
      what: `the gate is read at ${point}: ${isOpen ? "open" : "closed"}`,
      world: { ...world, gate: { point, isOpen, ended } },
    }));
  }

  /** The next atomic action of whoever carries out a job, with each of its outcomes. */
  #act(world: World, name: string, job: Job): readonly Named[] {
    const machine = world.machines.get(name);
    const record = world.fleet.records.find((each) => each.name === name);
    if (machine === undefined || record === undefined) return [];
    const doing = world.doing.get(name) ?? "beginning";
    const told = (event: NodeEvent, then?: Doing): readonly Named[] => this.#told(world, name, event, then);
    const change = (what: string, to: Partial<Machine>, then: Doing): Named => ({
      what: `${name} ${what}`,
      world: withDoing(withMachine(world, name, to), name, then),
    });
    if (job.kind === "stage") {
      if (machine.power === "down") return told({ kind: "ended", how: "Failed", message: "silent" });
      return [...told({ kind: "staged" }), ...told({ kind: "ended", how: "Failed", message: "no space" })];
    }
    if (job.kind !== "turn") {
      if (doing === "given-back") return told({ kind: "given-back" });
      return [change("gets its cordon taken back", machine.cordon === "ours" ? { cordon: "none" } : {}, "given-back")];
    }
    const hasLeftBoot = record.restartedFrom !== undefined && String(machine.boot) !== record.restartedFrom;
    if (machine.power === "down") {
      const how = record.restartedFrom === undefined ? "Failed" : "Held";
      // A machine that restarts is waited for; one that is off is given up some time.
      return doing === "ordered" || hasLeft(record.state) ? [] : told({ kind: "ended", how, message: "silent" });
    }
    if (hasLeftBoot) return this.#actAfter(world, name, machine, record, doing);
    return this.#actBefore(world, name, machine, record, doing);
  }

  #actBefore(world: World, name: string, machine: Machine, { state }: NodeRecord, doing: Doing): readonly Named[] {
    const failed = this.#told(world, name, { kind: "ended", how: "Failed", message: "not proven" });
    if (machine.runs === "new" && machine.isReady) {
      return this.#told(world, name, { kind: "ended", how: "Done", message: "" });
    }
    // Whoever began before a halt goes on as if there were none: the gate alone has to hold.
    if (machine.runs === "odd") return failed;
    // Others agree at some time; that they do not in time is a time limit.
    if (state === "BeforeReboot") {
      assert.ok(machine.cordon !== "ours", `${name} is cordoned, and others have not agreed`);
      return [...this.#told(world, name, { kind: "reached", state: "Draining" }), late(world, name)];
    }
    if (doing === "gate-passed") {
      const record = world.fleet.records.find((each) => each.name === name);
      // Time may pass between the gate and the order, so that it is Held by then.
      const isWritten = record !== undefined && hasLeft(record.state) && record.restartedFrom === String(machine.boot);
      assert.ok(isWritten, `${name} restarts, and that is not written down`);
      const restarts = withMachine(world, name, { power: "down", isReady: false, told: machine.told + 1 });
      return [
        { what: `${name} restarts`, world: withDoing(restarts, name, "ordered") },
        { what: `${name} does not hear the order`, world: withDoing(world, name, "ordered") },
      ];
    }
    // It was told, and has not heard: after the time limit that is all that is known.
    if (doing === "ordered") return failed;
    if (machine.cordon === "none") {
      return [{ what: `${name} is cordoned`, world: withMachine(world, name, { cordon: "ours" }) }];
    }
    const blocked = this.#told(world, name, { kind: "ended", how: "Blocked", message: "a budget" });
    if (machine.hasPods) {
      return [
        { what: `${name} is drained`, world: withMachine(world, name, { hasPods: false }) },
        ...blocked,
        ...failed,
      ];
    }
    const passed = this.#told(world, name, { kind: "drained", bootId: String(machine.boot) }, "gate-passed");
    return passed.length > 0 ? passed : failed;
  }

  #actAfter(world: World, name: string, machine: Machine, { state }: NodeRecord, doing: Doing): readonly Named[] {
    const held = this.#told(world, name, { kind: "ended", how: "Held", message: "not proven" });
    if (state === "Rebooting") return this.#told(world, name, { kind: "reached", state: "Proving" });
    if (state === "Held" && (machine.runs === "odd" || !machine.isReady)) return [];
    if (machine.runs === "odd") return held;
    if (state === "Proving" && machine.runs === "new") {
      return [...this.#told(world, name, { kind: "reached", state: "Rejoining" }), ...held];
    }
    if (!machine.isReady) return held;
    const isAsked = this.#policy.limits.afterRebootMs > 0 && machine.cordon === "ours";
    if (isAsked && state === "Rejoining") {
      return this.#told(world, name, { kind: "reached", state: "AfterReboot" });
    }
    if (isAsked && state === "AfterReboot") {
      return [...this.#told(world, name, { kind: "reached", state: "Uncordoning" }), late(world, name)];
    }
    if (machine.cordon === "ours") {
      const freed = withDoing(withMachine(world, name, { cordon: "none", hasPods: true }), name, "uncordoned");
      return [{ what: `${name} is uncordoned`, world: freed }];
    }
    if (doing === "uncordoned" && state === "Rejoining") {
      return this.#told(world, name, { kind: "reached", state: "Uncordoning" }, "uncordoned");
    }
    return this.#told(world, name, { kind: "ended", how: machine.runs === "new" ? "Done" : "FellBack", message: "" });
  }

  #told(world: World, name: string, event: NodeEvent, then?: Doing): readonly Named[] {
    const fleet = afterEvent(world.fleet, name, event, NOW_MS);
    if (fleet === undefined) return [];
    if (event.kind === "drained") {
      const machine = world.machines.get(name);
      assert.ok(machine?.hasPods === false && machine.cordon !== "none", `${name} restarts undrained`);
      assert.equal(world.fleet.halt, undefined, "nobody restarts after a halt");
    }
    if (event.kind === "ended" && event.how === "Done") this.#checkDone(world, name);
    const detail = event.kind === "ended" ? event.how : event.kind === "reached" ? event.state : event.kind;
    const after = { ...world, fleet };
    return [
      {
        what: `${name}: ${detail}`,
        world: then === undefined ? withoutDoing(after, name) : withDoing(after, name, then),
      },
    ];
  }

  /** A machine that is down comes up: with the release that it was told, back again, or as something else. */
  #boots(world: World, name: string, machine: Machine): readonly Named[] {
    if (machine.power === "up") return [];
    const up = (runs: Machine["runs"], isReady: boolean): Named => ({
      what: `${name} boots ${runs}${isReady ? "" : ", not Ready"}`,
      world: withMachine(world, name, { power: "up", runs, isReady, boot: machine.boot + 1 }),
    });
    if (machine.told === 0) return [up(machine.runs, true)];
    return [up("new", true), up("new", false), up("old", true), up("odd", true)];
  }

  #disturbed(world: World): readonly Named[] {
    if (world.disturbances === 0) return [];
    const rest = { ...world, disturbances: world.disturbances - 1 };
    return this.#kinds.flatMap((kind) => DISTURBANCES[kind](rest));
  }
}

/** Its pods had to go, or still have. */
function wasTaken({ state, restartedFrom }: NodeRecord): boolean {
  return STATES[state].isOut || restartedFrom !== undefined;
}

/** A turn goes on through its states; what a halt takes back is another job. */
function isSameJob(job: Job | undefined, before: Fleet, after: Fleet, name: string): boolean {
  const kindOf = ({ records }: Fleet): string => {
    const state = records.find((record) => record.name === name)?.state ?? "Gone";
    return isBegun(state) || hasLeft(state) ? "turn" : state;
  };
  return job !== undefined && kindOf(before) === kindOf(after);
}
