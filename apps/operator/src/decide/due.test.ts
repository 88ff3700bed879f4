import assert from "node:assert/strict";
import { test } from "node:test";
import { dueInMs, type DueFacts } from "./due.ts";
import { selectClass } from "./select-class.ts";

const asked = {
  outcome: { kind: "silent", why: "" },
  bootId: "boot-1",
  className: "worker",
  monotonicMs: 1000,
} as const;
const FACTS: DueFacts = {
  asked,
  silences: 0,
  bootId: "boot-1",
  className: "worker",
  isChanged: false,
  intervalMs: 600_000,
};
const clock = { wallMs: 0, monotonicMs: 2000 };

test("a node is asked at its class's interval, and at once when anything about it is new", () => {
  assert.equal(dueInMs(FACTS, clock), 599_000);
  for (const change of [{ asked: undefined }, { bootId: "boot-2" }, { className: "other" }, { isChanged: true }]) {
    assert.equal(dueInMs({ ...FACTS, ...change }, clock), 0, JSON.stringify(change));
  }
});

test("a silent node is asked sooner, then less and less often, and never less often than the others", () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 400].map((silences) => dueInMs({ ...FACTS, silences }, clock) + 1000);
  assert.deepEqual(
    waits,
    [10, 20, 40, 80, 160, 320, 600, 600, 600].map((seconds) => seconds * 1000),
  );
  // Its kubelet may report a new boot as often as it likes.
  assert.ok(dueInMs({ ...FACTS, silences: 3, bootId: "boot-9" }, clock) > 0);
});

test("a node is of the one class that selects it; two are a fault that names them", () => {
  const key = "ashlar.node-restriction.kubernetes.io/class";
  const classOf = (
    name: string,
    selector: Readonly<Record<string, string>>,
  ): Parameters<typeof selectClass>[1][number] => ({
    name,
    uid: name,
    resourceVersion: "1",
    generation: 1,
    status: {},
    spec: {
      selector,
      config: {},
      release: "1.0.0",
      releases: {},
      trust: { acceptExpiredEk: false },
      proof: { intervalSeconds: 600, freshnessSeconds: 3600 },
      quarantine: { mode: "none", maxPercent: 10, alsoUnknown: false },
    },
  });
  const classes = [classOf("a", { [key]: "a" }), classOf("both", { [key]: "b" }), classOf("b", { [key]: "b" })];
  assert.deepEqual(selectClass({ labels: { [key]: "c" } }, classes), { kind: "none" });
  assert.equal(selectClass({ labels: { [key]: "a" } }, classes).kind, "class");
  const found = selectClass({ labels: { [key]: "b" } }, classes);
  assert.match(found.kind === "fault" ? found.fault.message : "", /found b, both$/u);
  const unreadable = { ...classOf("x", {}), spec: undefined };
  assert.deepEqual(selectClass({ labels: {} }, [unreadable]), { kind: "none" });
});
