import assert from "node:assert/strict";
import { test } from "node:test";
import type { RolloutNode, RolloutStatus } from "@ashlar/kube";
import { hasLeft, NEW_FLEET, NODE_STATES, PHASES, RETURNS, type Fleet, type NodeRecord } from "@ashlar/rollout";
import fc from "fast-check";
import { fleetOf, keptStatus, outlookAtEnd, statusOf } from "./rollout-status.ts";

const NOW_MS = Date.parse("2026-11-30T10:00:00Z");
const SINCE = "2026-11-30T09:00:00.000Z";

const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,20}[a-z0-9])?$/u);
const text = fc.string({ maxLength: 100 }).map((each) => each.replaceAll(/[^ -~]/gu, ""));
const ms = fc.integer({ min: 0, max: 4_102_444_800_000 });

const MAY_BE_TOLD: ReadonlySet<string> = new Set(["Gone", "Done", "FellBack"]);

type Drawn = Omit<NodeRecord, "from" | "restartedFrom" | "returnsTo"> & {
  readonly from: string | undefined;
  readonly boot: string;
  readonly isTold: boolean;
  readonly returnsTo: (typeof RETURNS)[number];
};

function toRecord({ boot, isTold, returnsTo, from, ...own }: Drawn): NodeRecord {
  const { state } = own;
  const told = hasLeft(state) || (isTold && MAY_BE_TOLD.has(state)) ? { restartedFrom: boot } : {};
  return { ...own, ...(from === undefined ? {} : { from }), ...told, ...(state === "Returning" ? { returnsTo } : {}) };
}

function toFleet({ halt, ...rest }: { readonly [Key in keyof Fleet]-?: Fleet[Key] | undefined }): Fleet {
  const { attempt = 1, records = [] } = rest;
  return { attempt, records, ...(halt === undefined ? {} : { halt: { ...halt } }) };
}

const record: fc.Arbitrary<NodeRecord> = fc
  .record({
    name,
    wave: name,
    state: fc.constantFrom(...NODE_STATES),
    sinceMs: ms,
    message: text,
    drains: fc.nat(9),
    from: fc.option(fc.constantFrom("1.0.0", "1.1.0"), { nil: undefined }),
    boot: name,
    isTold: fc.boolean(),
    returnsTo: fc.constantFrom(...RETURNS),
  })
  .map(toRecord);

const fleet: fc.Arbitrary<Fleet> = fc
  .record({
    attempt: fc.integer({ min: 1, max: 1000 }),
    halt: fc.option(fc.record({ node: name, message: text, sinceMs: ms }), { nil: undefined }),
    records: fc.uniqueArray(record, { selector: (each) => each.name, maxLength: 8 }),
  })
  .map(toFleet);

const outlook = fc.record({
  phase: fc.constantFrom(...PHASES),
  wave: fc.option(name, { nil: undefined }),
  waitsFor: fc.option(text, { nil: undefined }),
});

test("what is remembered comes back out of the status, by way of JSON", () => {
  fc.assert(
    fc.property(fleet, outlook, (before, look) => {
      const status = statusOf(before, look, {}, 3, NOW_MS);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was one
      const read = fleetOf(JSON.parse(JSON.stringify(status)) as RolloutStatus);
      assert.deepEqual(read, { fleet: before });
      assert.equal(statusOf(before, look, status, 3, NOW_MS + 1000), status, "nothing new is nothing to write");
    }),
  );
});

test("a Rollout that waits keeps what it remembers", () => {
  fc.assert(
    fc.property(fleet, outlook, (before, look) => {
      const status = statusOf(before, look, {}, 3, NOW_MS);
      const kept = keptStatus(status, { reason: "Waits", message: "another one goes first" }, 4, NOW_MS);
      assert.deepEqual(fleetOf(kept), { fleet: before });
      assert.equal(kept.message, "another one goes first");
      const progressing = kept.conditions?.find(({ type }) => type === "Progressing");
      assert.deepEqual([progressing?.status, progressing?.reason], ["False", "Waits"]);
    }),
  );
  const fresh = keptStatus({}, { reason: "Waits", message: "" }, 1, NOW_MS);
  assert.deepEqual([fresh.phase, fleetOf(fresh)], ["Pending", { fleet: NEW_FLEET }]);
});

const node = (change: Partial<RolloutNode>): RolloutStatus => ({
  phase: "Rolling",
  attempt: 1,
  nodes: [{ name: "a", wave: "rest", state: "Waiting", since: SINCE, ...change }],
});

test("a status that could not have been written here is a fault, and says where", () => {
  const cases: readonly (readonly [what: string, status: RolloutStatus, says: RegExp])[] = [
    ["nodes were taken out", { phase: "Rolling" }, /^status\.nodes: expected the nodes of a rollout that has begun/u],
    ["a halt alone", { halt: { node: "a", message: "", since: SINCE } }, /^status\.nodes: /u],
    ["no attempt", { ...node({}), attempt: undefined } as never, /^status\.attempt: expected the attempt/u],
    [
      "one node twice",
      { ...node({}), nodes: [...(node({}).nodes ?? []), ...(node({}).nodes ?? [])] },
      /each node once/u,
    ],
    ["no time", node({ since: "yesterday" }), /^status\.nodes\[a\]\.since: expected a time, found yesterday/u],
    ["restarting from nowhere", node({ state: "Rebooting" }), /expected the boot that a node left which is Rebooting/u],
    ["held since nowhere", node({ state: "Held" }), /restartedFrom: expected the boot/u],
    [
      "told before its turn",
      node({ state: "Draining", restartedFrom: "b" }),
      /expected none for a node that is Draining, found b/u,
    ],
    ["returns to nothing", node({ state: "Returning" }), /returnsTo: expected it with Returning/u],
    ["returns without returning", node({ returnsTo: "Failed" }), /found Waiting, Failed/u],
    ["a halt without a time", { ...node({}), halt: { node: "a", message: "", since: "" } }, /^status\.halt\.since/u],
  ];
  for (const [what, status, says] of cases) {
    const read = fleetOf(status);
    assert.ok("fault" in read, what);
    assert.match(read.fault, says, what);
  }
});

test("conditions say whether something goes on, is complete or has halted", () => {
  const done: NodeRecord = { name: "a", wave: "rest", state: "Done", sinceMs: NOW_MS, message: "", drains: 0 };
  const failed: NodeRecord = { ...done, name: "b", state: "FellBack", restartedFrom: "x" };
  const said = (fleetNow: Fleet, phase: (typeof PHASES)[number]): string => {
    const { conditions = [] } = statusOf(fleetNow, { phase, wave: undefined, waitsFor: undefined }, {}, 1, NOW_MS);
    return conditions.map(({ type, status, message }) => `${type} ${status} ${message}`.trim()).join(", ");
  };
  const records = [done];
  assert.equal(said({ attempt: 1, records }, "Rolling"), "Complete False, Halted False, Progressing True");
  assert.equal(
    said({ attempt: 1, records }, "Done"),
    "Complete True all nodes are proven at the release, Halted False, Progressing False",
  );
  assert.match(said({ attempt: 1, records: [done, failed] }, "Done"), /Complete True all are, but 1 that failed/u);
  const halt = { node: "b", message: "b: odd", sinceMs: NOW_MS };
  assert.equal(said({ attempt: 1, records, halt }, "Halted"), "Complete False, Halted True b: odd, Progressing False");
});

test("one that is aborted says so when its nodes are home, and is not complete", () => {
  const look = { phase: "Rolling", wave: "rest", waitsFor: undefined, jobs: new Map() } as const;
  const busy = { ...look, jobs: new Map([["a", { kind: "give-back" } as const]]) };
  const waits = "waits until its nodes have come home";
  assert.deepEqual(outlookAtEnd(busy, false), {
    phase: "Rolling",
    wave: "rest",
    waitsFor: `it is aborted, and ${waits}`,
  });
  assert.deepEqual(outlookAtEnd(look, true), {
    phase: "Rolling",
    wave: "rest",
    waitsFor: `it is deleted, and ${waits}`,
  });
  const ended = outlookAtEnd(look, false);
  assert.deepEqual(ended, { phase: "Aborted", wave: undefined, waitsFor: "it was aborted" });
  const { conditions = [] } = statusOf({ attempt: 1, records: [] }, ended, {}, 1, NOW_MS);
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    ["Complete", "Halted", "Progressing"].map((type) => [type, "False", "Aborted"]),
  );
});
