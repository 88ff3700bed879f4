import assert from "node:assert/strict";
import { test } from "node:test";
import { NEW_FLEET, type FleetNode, type FleetPolicy, type GateReading, type NodeRecord } from "./fleet.ts";
import { closedGates, gateQuestions } from "./gates.ts";
import { lookAtFleet, type FleetLook } from "./look-at-fleet.ts";
import type { NodeState } from "./node-state.ts";
import { TEST_POLICY, testFleetNode } from "./test-policy.ts";

const NOW_MS = Date.parse("2026-11-30T10:00:00Z");
const GATES = [
  { name: "health", before: "wave" },
  { name: "errors", before: "node" },
] as const;
const POLICY: FleetPolicy = { ...TEST_POLICY, waves: [{ name: "first", selector: { wave: "1" } }], gates: GATES };
const NEW = { kind: "proven", release: "1.1.0" } as const;

function record(name: string, state: NodeState, change: Partial<NodeRecord> = {}): NodeRecord {
  return { name, wave: "first", state, sinceMs: NOW_MS - 1000, message: "", drains: 0, ...change };
}

const done = (name: string): NodeRecord => record(name, "Done", { from: "1.0.0", restartedFrom: "boot-1" });

function pointsOf(records: readonly NodeRecord[], wave: string | undefined, attempt: number = 1): string {
  const questions = gateQuestions(POLICY, { attempt, records }, wave);
  return questions.map(({ name, point }) => `${name}: ${point}`).join(", ");
}

test("which gates have to be read, and at which point", () => {
  const staged = record("b", "Staged");
  for (const [records, expected] of [
    // Fetching a release takes nothing from anybody.
    [[record("a", "Staging"), staged], "health: 1 first, errors: 1 first 0"],
    [[record("a", "Draining"), staged], "errors: 1 first 0"],
    [[record("a", "Rebooting", { restartedFrom: "boot-1" }), staged], "errors: 1 first 0"],
    [[done("a"), staged], "errors: 1 first 1"],
    [[record("a", "FellBack", { restartedFrom: "boot-1" }), staged], "errors: 1 first 1"],
    // It was drained and given back: the wave has not begun.
    [[record("a", "Waiting", { drains: 1 }), staged], "health: 1 first, errors: 1 first 0"],
    // It was there already.
    [[record("a", "Done"), staged], "health: 1 first, errors: 1 first 0"],
    [[{ ...done("a"), wave: "rest" }, staged], "health: 1 first, errors: 1 first 1"],
  ] as const) {
    assert.equal(pointsOf(records, "first"), expected, JSON.stringify(records));
  }
  assert.equal(pointsOf([staged], "first", 2), "health: 2 first, errors: 2 first 0");
  assert.equal(pointsOf([done("a")], undefined), "health: 1 end, errors: 1 end");
  assert.equal(pointsOf([record("a", "Done")], undefined, 1), "", "nothing was rolled");
});

test("what was not read here is closed, and each says why", () => {
  const questions = gateQuestions(POLICY, { attempt: 1, records: [] }, "first");
  const reading = (change: Partial<GateReading>): GateReading => {
    return { point: "1 first", isOpen: true, message: "", ...change };
  };
  const health = reading({});
  const errors = reading({ point: "1 first 0" });
  const closed = (...readings: (readonly [string, GateReading])[]): string | undefined =>
    closedGates(questions, new Map(readings));
  assert.equal(closed(["health", health], ["errors", errors]), undefined);
  assert.equal(closed(["health", health]), "gate errors: it has not been read yet");
  assert.equal(
    closed(["health", reading({ isOpen: false, message: "0.2" })], ["errors", reading({ point: "1 first 1" })]),
    "gate health: 0.2; gate errors: it has not been read yet",
  );
});

function look(nodes: readonly FleetNode[], records: readonly NodeRecord[], ...open: string[]): FleetLook {
  const points: Readonly<Record<string, string>> = { health: "1 first", errors: "1 first 0" };
  const gates = new Map(
    open.map((name) => [name, { point: points[name] ?? "1 end", isOpen: true, message: "" }] as const),
  );
  return lookAtFleet(POLICY, { ...NEW_FLEET, records }, nodes, { nowMs: NOW_MS, gates });
}

const node = (name: string, change: Partial<FleetNode> = {}): FleetNode =>
  testFleetNode(name, { labels: { wave: "1" }, ...change });
const stateOf = ({ fleet }: FleetLook): string | undefined => fleet.records[0]?.state;

test("a closed gate lets nodes fetch the release, and nobody be drained", () => {
  const first = look([node("a")], []);
  assert.deepEqual([stateOf(first), first.gates.length], ["Staging", 2]);
  const closed = look([node("a")], [record("a", "Staged")], "health");
  assert.deepEqual(
    [stateOf(closed), closed.phase, closed.waitsFor],
    ["Staged", "Waiting", "gate errors: it has not been read yet"],
  );
  assert.equal(closed.fleet.records[0]?.message, closed.waitsFor);
  assert.equal(stateOf(look([node("a")], [record("a", "Staged")], "health", "errors")), "Draining");
  // Who is on its way goes on.
  assert.equal(stateOf(look([node("a", { cordon: "ours" })], [record("a", "Draining")])), "Draining");
});

test("at the end all gates are read once more, and who has halted or paused reads none", () => {
  const nodes = [node("a", { proof: NEW })];
  const end = look(nodes, [done("a")]);
  assert.deepEqual([end.phase, end.waitsFor?.startsWith("gate health: ")], ["Waiting", true]);
  const readings = new Map(GATES.map(({ name }) => [name, { point: "1 end", isOpen: true, message: "" }]));
  const fleet = { attempt: 1, records: [done("a")] };
  const open = lookAtFleet(POLICY, fleet, nodes, { nowMs: NOW_MS, gates: readings });
  assert.deepEqual([open.phase, open.waitsFor], ["Done", undefined]);
  const paused = lookAtFleet({ ...POLICY, paused: true }, { attempt: 1, records: [] }, [node("a")], { nowMs: NOW_MS });
  assert.deepEqual(paused.gates, []);
  const halt = { node: "a", message: "a: no", sinceMs: NOW_MS };
  assert.deepEqual(lookAtFleet(POLICY, { ...fleet, halt }, nodes, { nowMs: NOW_MS }).gates, []);
});
