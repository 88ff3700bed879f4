import assert from "node:assert/strict";
import { test } from "node:test";
import { NEW_FLEET, type Fleet, type FleetNode, type FleetPolicy, type NodeRecord } from "./fleet.ts";
import { lookAtFleet, type FleetLook } from "./look-at-fleet.ts";
import type { NodeState } from "./node-state.ts";
import { TEST_POLICY, testFleetNode } from "./test-policy.ts";

const NOW_MS = Date.parse("2026-11-30T10:00:00Z");
const NEW = { kind: "proven", release: "1.1.0" } as const;
const node = testFleetNode;
const done = (name: string, change: Partial<FleetNode> = {}): FleetNode => node(name, { proof: NEW, ...change });

function record(name: string, state: NodeState, change: Partial<NodeRecord> = {}): NodeRecord {
  return { name, wave: "rest", state, sinceMs: NOW_MS - 1000, message: "", drains: 0, ...change };
}

function look(
  nodes: readonly FleetNode[],
  records: readonly NodeRecord[],
  change: Partial<FleetPolicy> = {},
  more: Partial<Fleet> = {},
): FleetLook {
  return lookAtFleet({ ...TEST_POLICY, ...change }, { ...NEW_FLEET, records, ...more }, nodes, { nowMs: NOW_MS });
}

const statesOf = ({ fleet }: FleetLook): string =>
  fleet.records.map(({ name, state }) => `${name} ${state}`).join(", ");
const messageOf = ({ fleet }: FleetLook, name: string): string =>
  fleet.records.find((each) => each.name === name)?.message ?? "no record";

test("the nodes of a wave fetch the release while they work, and one is drained when it has it", () => {
  const first = look([node("b"), node("a")], []);
  assert.equal(statesOf(first), "a Staging, b Staging");
  assert.deepEqual(
    [...first.jobs],
    [
      ["a", { kind: "stage" }],
      ["b", { kind: "stage" }],
    ],
  );
  assert.deepEqual([first.phase, first.wave, first.fleet.records[0]?.from], ["Rolling", "rest", "1.0.0"]);
  const second = look([node("a"), node("b")], [record("a", "Staged"), record("b", "Staged")]);
  assert.equal(statesOf(second), "a Draining, b Staged");
  assert.deepEqual([...second.jobs], [["a", { kind: "turn", mayRestart: true }]]);
  assert.equal(messageOf(second, "b"), "1 may be away at once, and a is");
  const third = look([node("a"), node("b")], second.fleet.records);
  assert.equal(third.fleet.records, second.fleet.records, "and nothing is written when nothing has changed");
});

test("in reverse the last wave goes first, and the control plane before all", () => {
  const waves = [
    { name: "first", selector: { wave: "1" } },
    { name: "second", selector: { wave: "2" } },
  ];
  const of = (name: string, wave: string, change: Partial<FleetNode> = {}): FleetNode =>
    node(name, { labels: { wave }, ...change });
  const back = { waves, reverse: true };
  const nodes = [of("a", "1"), of("b", "2"), node("c", { isControlPlane: true }), node("d")];
  const order = ["control-plane", "rest", "second", "first"];
  const names = ["c", "d", "b", "a"];
  for (const [index, wave] of order.entries()) {
    const gone = new Set(names.slice(0, index));
    const found = look(
      nodes.map((each) => (gone.has(each.name) ? Object.assign({}, each, { proof: NEW }) : each)),
      [],
      back,
    );
    assert.deepEqual([found.wave, messageOf(found, names[index] ?? "")], [wave, ""]);
    for (const name of names.slice(index + 1)) assert.match(messageOf(found, name), /has not begun$/u);
  }
});

test("who runs the release already is done; a rollout of all that are is", () => {
  const found = look([done("a"), done("b")], []);
  assert.deepEqual([statesOf(found), found.phase, found.waitsFor], ["a Done, b Done", "Done", undefined]);
  const unready = look([done("a", { isReady: false })], []);
  assert.deepEqual([statesOf(unready), messageOf(unready, "a")], ["a Waiting", "its Node is not Ready"]);
});

test("what makes a node wait, and that it counts as away when it is", () => {
  const silent = { kind: "unknown", message: "it was never asked" } as const;
  const cases: readonly (readonly [change: Partial<FleetNode>, message: string, isAway: boolean])[] = [
    [{ isReady: false }, "its Node is not Ready", true],
    [{ cordon: "foreign" }, "somebody else has cordoned it", true],
    [{ cordon: "ours" }, "it is still cordoned from before", true],
    [{ proof: silent }, "it is not proven: it was never asked", false],
  ];
  for (const [change, message, isAway] of cases) {
    const found = look([node("a", change), node("b")], [record("a", "Waiting"), record("b", "Staged")]);
    assert.equal(messageOf(found, "a"), message);
    assert.equal(statesOf(found), `a Waiting, b ${isAway ? "Staged" : "Draining"}`, message);
    // Left out, it does not count.
    const without = look([node("a", change), node("b")], [record("b", "Staged")], { exclude: ["a"] });
    assert.equal(statesOf(without), "a Skipped, b Draining", message);
  }
});

test("how many may be away: a number, or a share, of which at least one", () => {
  const names = ["a", "b", "c", "d", "e"];
  const staged = names.map((name) => record(name, "Staged"));
  const draining = (concurrency: FleetPolicy["concurrency"]): number =>
    look(
      names.map((name) => node(name)),
      staged,
      { concurrency },
    ).jobs.size;
  assert.deepEqual([draining({ nodes: 1 }), draining({ nodes: 3 })], [1, 3]);
  assert.deepEqual([draining({ percent: 10 }), draining({ percent: 40 }), draining({ percent: 59 })], [1, 2, 2]);
});

test("of a zone one is away at a time, and the control plane goes alone, at the end", () => {
  const zone = (value: string): Partial<FleetNode> => ({ labels: { zone: value } });
  const names = ["a", "b", "c"].map((name) => record(name, "Staged"));
  const spread = { spreadKey: "zone", concurrency: { nodes: 3 } };
  const zones = look([node("a", zone("1")), node("b", zone("1")), node("c", zone("2"))], names, spread);
  assert.equal(statesOf(zones), "a Draining, b Staged, c Draining");
  assert.equal(messageOf(zones, "b"), "a is away, which has zone=1 too");

  const plane = { isControlPlane: true };
  const planned = look([node("a", plane), node("b")], [], { concurrency: { nodes: 3 } });
  assert.deepEqual(
    planned.fleet.records.map(({ name, wave }) => `${name} ${wave}`),
    ["a control-plane", "b rest"],
  );
  const masters = [record("a", "Staged", { wave: "control-plane" }), record("b", "Staged", { wave: "control-plane" })];
  const alone = look([node("a", plane), node("b", plane)], masters, { concurrency: { nodes: 3 } });
  assert.equal(statesOf(alone), "a Draining, b Staged");
  assert.equal(messageOf(alone, "b"), "a of the control plane is away, and nothing else goes meanwhile");
  const busy = look(
    [node("a", plane), done("w", { isReady: false })],
    [masters[0]!, record("w", "Done", { wave: "control-plane" })],
  );
  assert.equal(messageOf(busy, "a"), "it is of the control plane, and goes alone: w is away");
});

const WAVES = { waves: [{ name: "zone-a", selector: { zone: "a" } }] };

test("the next wave begins when each node of the former is proven now, and not before", () => {
  const second = record("b", "Waiting");
  const begins = (first: FleetNode, state: NodeState): string =>
    statesOf(look([first, node("b")], [record("a", state, { wave: "zone-a" }), second], WAVES)).split(", ")[1] ?? "";
  assert.equal(begins(done("a"), "Done"), "b Staging");
  assert.equal(begins(node("a"), "Proving"), "b Waiting");
  assert.equal(begins(done("a", { isReady: false }), "Done"), "b Waiting");
  assert.equal(begins(done("a", { proof: { kind: "unknown", message: "silent" } }), "Done"), "b Waiting");
  assert.equal(begins(node("a"), "Blocked"), "b Waiting");
  const lapsed = look(
    [done("a", { isReady: false }), node("b")],
    [record("a", "Done", { wave: "zone-a" }), second],
    WAVES,
  );
  assert.equal(lapsed.waitsFor, "a, which is done, has to be so still: its Node is not Ready");
  const waits = look([node("a"), node("b")], [record("a", "Proving", { wave: "zone-a" }), second], WAVES);
  assert.deepEqual([messageOf(waits, "b"), waits.wave], ["its wave, rest, has not begun", "zone-a"]);
});

test("each wave waits for its approval, and nothing of it is touched before", () => {
  const approval = { ...WAVES, approval: "each-wave" } as const;
  const nodes = [node("a", { labels: { zone: "a" } }), node("b")];
  const closed = look(nodes, [], approval);
  assert.deepEqual(
    [statesOf(closed), closed.waitsFor, closed.phase],
    ["a Waiting, b Waiting", "wave zone-a waits to be approved", "Pending"],
  );
  assert.equal(statesOf(look(nodes, [], { ...approval, approvedWaves: ["zone-a"] })), "a Staging, b Waiting");
});

test("the canary goes first, stays proven for its time, and another takes its place when it is gone", () => {
  const canary = { canary: { nodes: 1, soakMs: 60_000 } };
  const first = look([node("n10"), node("n9"), node("m", { isControlPlane: true })], [], canary);
  assert.equal(statesOf(first), "m Waiting, n9 Staging, n10 Waiting");
  const since = (sinceMs: number): FleetLook =>
    look([done("a"), node("b")], [record("a", "Done", { wave: "canary", sinceMs }), record("b", "Waiting")], canary);
  assert.equal(since(NOW_MS - 59_999).waitsFor, "the canary has to stay proven until 2026-11-30T10:00:00Z");
  assert.equal(statesOf(since(NOW_MS - 60_000)), "a Done, b Staging");
  // A clock that was set back lets nobody go early.
  assert.equal(statesOf(since(NOW_MS + 10_000)), "a Done, b Waiting");
  const gone = look(
    [node("b"), node("c")],
    [record("a", "Draining", { wave: "canary" }), record("b", "Waiting"), record("c", "Waiting")],
    canary,
  );
  const next = look([node("b"), node("c")], gone.fleet.records, canary);
  assert.deepEqual(
    next.fleet.records.map(({ name, wave, state }) => `${name} ${wave} ${state}`),
    ["a canary Gone", "b canary Staging", "c rest Waiting"],
  );
});

test("nodes that are added, removed, left out", () => {
  const late = look(
    [done("a"), node("b"), node("c", { labels: { zone: "a" } })],
    [record("a", "Done", { wave: "zone-a" }), record("b", "Staged")],
    WAVES,
  );
  assert.equal(late.fleet.records.find(({ name }) => name === "c")?.wave, "rest", "it goes with the wave that goes on");
  const removed = look([node("b")], [record("a", "Rebooting", { restartedFrom: "boot-1" }), record("b", "Staged")]);
  assert.equal(statesOf(removed), "a Gone, b Draining", "it frees its place");
  const [gone] = removed.fleet.records;
  assert.equal(statesOf(look([node("a")], [gone!])), "a Held", "it was told to restart: what it is now has to be seen");
  assert.equal(statesOf(look([node("a")], [record("a", "Gone")])), "a Staging");
  const excluded = look([node("a")], [record("a", "Draining")], { exclude: ["a"] });
  assert.deepEqual([...excluded.jobs], [["a", { kind: "give-back" }]]);
  assert.equal(statesOf(look([node("a")], [record("a", "Skipped")])), "a Staging");
  assert.equal(statesOf(look([node("a")], [record("a", "Rebooting")], { exclude: ["a"] })), "a Rebooting");
});

test("what halts it, and that then nobody is drained or restarted further", () => {
  const others = [record("b", "Draining"), record("c", "Staging"), record("d", "Proving")];
  const nodes = [node("b"), node("c"), node("d")];
  const odd = { kind: "mismatch", message: "class configuration" } as const;
  const cases: readonly (readonly [what: RegExp, first: FleetNode, state: NodeState, change?: Partial<NodeRecord>])[] =
    [
      [/^a: it has proved to be something else: class configuration$/u, node("a", { proof: odd }), "Waiting"],
      [/^a: it has proved to be something else/u, node("a", { proof: odd }), "Done"],
      [/^a: it has proved 1\.1\.0, and runs 1\.0\.0 since$/u, node("a"), "Done"],
      [/^a: it has not come home after its restart: silent/u, node("a"), "Held", { message: "silent" }],
      [/^a: no space \(1 node has failed, and 0 may\)$/u, node("a"), "Failed", { message: "no space" }],
      [/^a: it rolled back/u, node("a"), "FellBack", { message: "it rolled back" }],
    ];
  for (const [what, first, state, change] of cases) {
    const found = look([first, ...nodes], [record("a", state, change), ...others], { concurrency: { nodes: 4 } });
    assert.match(found.waitsFor ?? "", what);
    assert.deepEqual([found.phase, statesOf(found)], ["Halted", `a ${state}, b Returning, c Waiting, d Proving`]);
    const jobs = new Map([...found.jobs].map(([name, job]) => [name, job.kind === "turn" ? job.mayRestart : job.kind]));
    assert.equal(jobs.get("d"), false);
    assert.equal(jobs.get("b"), "give-back");
    // The cause is gone: it stays halted until somebody says so.
    assert.equal(look([done("a"), ...nodes], found.fleet.records, {}, found.fleet).phase, "Halted");
  }
  const inTurn = look([node("a", { proof: odd })], [record("a", "Rebooting")]);
  assert.equal(inTurn.phase, "Rolling", "in its turn it may be either");
});

test("what is tolerated, and that the canary's failures are not", () => {
  const failed = record("a", "Failed", { message: "no space" });
  const nodes = [node("a"), node("b")];
  const going = look(nodes, [failed, record("b", "Waiting")], { tolerate: 1 });
  assert.deepEqual([going.phase, statesOf(going)], ["Rolling", "a Failed, b Staging"]);
  const canary = { canary: { nodes: 1, soakMs: 0 }, tolerate: 1 };
  assert.match(
    look(nodes, [{ ...failed, wave: "canary" }, record("b", "Waiting")], canary).waitsFor ?? "",
    /^a: of the canary: no space/u,
  );
});

test("a raised attempt ends a halt, and tries again what has failed", () => {
  const halt = { node: "a", message: "a: it rolled back", sinceMs: 0 };
  const records = [
    record("a", "FellBack", { restartedFrom: "boot-1", drains: 2 }),
    record("b", "Done"),
    record("c", "Held", { restartedFrom: "boot-1" }),
  ];
  const again = look([node("a"), done("b"), node("c")], records, { attempt: 2 }, { halt });
  assert.match(
    again.waitsFor ?? "",
    /^c: it has not come home after its restart/u,
    "what is held is no matter of trying again",
  );
  const without = look([node("a"), done("b")], records.slice(0, 2), { attempt: 2 }, { halt });
  assert.equal(statesOf(without), "a Staging, b Done");
  assert.deepEqual(
    [without.fleet.attempt, without.fleet.halt, without.fleet.records[0]?.restartedFrom],
    [2, undefined, undefined],
  );
  assert.equal(look([node("a"), done("b")], records.slice(0, 2), {}, { halt }).phase, "Halted");
});

test("a node that cannot be drained gives way, is tried again, and fails in the end", () => {
  const nodes = [node("a"), node("b")];
  const blocked = (change: Partial<NodeRecord>): string =>
    statesOf(look(nodes, [record("a", "Blocked", { drains: 1, ...change }), record("b", "Staged")], { tolerate: 1 }));
  assert.equal(blocked({}), "a Blocked, b Draining");
  assert.equal(blocked({ sinceMs: NOW_MS - 600_000 }), "a Staging, b Draining");
  assert.equal(blocked({ drains: 2 }), "a Failed, b Draining");
});

test("what takes too long", () => {
  const long = { sinceMs: NOW_MS - 4_000_000 };
  const cases: readonly (readonly [state: NodeState, expected: string, message: RegExp])[] = [
    ["Staging", "Failed", /^it has not staged the release after 3600 s$/u],
    ["Draining", "Returning", /^it could not be drained after 900 s: shop\/web-1$/u],
    ["Rebooting", "Held", /^it has not come back, proven and Ready, after 900 s$/u],
    ["Proving", "Held", /^it has not come back/u],
    ["Rejoining", "Held", /^it has not come back/u],
    ["Uncordoning", "Held", /^it has not come back/u],
    ["Returning", "Returning", /^shop/u],
    ["Held", "Held", /^shop/u],
  ];
  for (const [state, expected, message] of cases) {
    const found = look([node("a")], [record("a", state, { ...long, message: "shop/web-1" })], { tolerate: 9 });
    assert.equal(statesOf(found), `a ${expected}`, state);
    assert.match(messageOf(found, "a"), message, state);
  }
});

test("where others have to agree, they are asked before anything is taken, and for so long", () => {
  const limits = { ...TEST_POLICY.limits, beforeRebootMs: 60_000, afterRebootMs: 90_000 };
  const at = (state: NodeState, agoMs: number, change: Partial<NodeRecord> = {}): FleetLook =>
    look([node("a")], [record("a", state, { sinceMs: NOW_MS - agoMs, ...change })], { limits });
  const begun = at("Staged", 0);
  assert.equal(statesOf(begun), "a BeforeReboot");
  assert.deepEqual([...begun.jobs], [["a", { kind: "turn", mayRestart: true }]]);
  const missing = { message: 'org/ceph is not "true" yet' };
  assert.equal(statesOf(at("BeforeReboot", 60_000, missing)), "a BeforeReboot");
  const late = at("BeforeReboot", 60_001, missing);
  assert.equal(statesOf(late), "a Returning");
  assert.deepEqual([late.fleet.records[0]?.returnsTo, late.fleet.records[0]?.drains], ["Blocked", 1]);
  assert.equal(
    messageOf(late, "a"),
    'the check before its restart has not ended after 60 s: org/ceph is not "true" yet',
  );
  const restarted = { restartedFrom: "boot-1" };
  assert.equal(statesOf(at("AfterReboot", 90_000, restarted)), "a AfterReboot");
  const held = at("AfterReboot", 90_001, { ...missing, ...restarted });
  assert.equal(statesOf(held), "a Held");
  assert.match(held.waitsFor ?? "", /^a: it has not come home after its restart: the check after its restart /u);
  // What was not taken yet is taken back, as a drain is.
  const halt = { node: "b", message: "b: why", sinceMs: 0 };
  const halted = look([node("a")], [record("a", "BeforeReboot")], { limits }, { halt });
  assert.equal(statesOf(halted), "a Returning");
  assert.equal(statesOf(look([node("a")], [record("a", "BeforeReboot")], { limits, exclude: ["a"] })), "a Returning");
});

test("nobody is begun for whom a kubelet would be too new, and who is on the way goes on", () => {
  const refusal = "the kubelet would be newer than the API server";
  const first = look([node("a")], [], { refusal });
  assert.deepEqual([statesOf(first), first.waitsFor, first.phase], ["a Waiting", refusal, "Pending"]);
  const going = look([node("a"), node("b")], [record("a", "Draining"), record("b", "Staged")], { refusal });
  assert.equal(statesOf(going), "a Draining, b Staged");
  assert.equal(messageOf(going, "b"), refusal);
});

test("paused: nobody further is begun, and who is on the way comes home", () => {
  const records = [record("a", "Draining"), record("b", "Staged"), record("c", "Waiting")];
  const found = look([node("a"), node("b"), node("c")], records, { paused: true, concurrency: { nodes: 3 } });
  assert.deepEqual([statesOf(found), found.waitsFor], ["a Draining, b Staged, c Waiting", "the rollout is paused"]);
  assert.deepEqual([...found.jobs], [["a", { kind: "turn", mayRestart: true }]]);
});
