import assert from "node:assert/strict";
import { test } from "node:test";
import { phasesOf } from "./boot-phases.ts";
import { parseBootReport } from "./boot-report.ts";

const STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5";
const STARTED = "39f53479d3a045ac8e11786248231fbf";

function entry(unit: string, id: string, microseconds: number): string {
  return `journal ${JSON.stringify({ UNIT: unit, MESSAGE_ID: id, __MONOTONIC_TIMESTAMP: String(microseconds) })}`;
}

const LINES = [
  "uptime 30.50",
  "stat cpu  100 20 300 9999 55 6 7 8 0 0",
  "process 1 (systemd) S 0 1 1 0 -1 4194560 1 2 3 4 150 50 300 100 20 0 1 0",
  "process 42 (a) b) S 1 42 42 0 -1 4194560 1 2 3 4 10 0 0 0 20 0 1 0",
  "manager InitRDTimestampMonotonic=2000000",
  "manager UserspaceTimestampMonotonic=10000000",
  "manager UnitsLoadFinishTimestampMonotonic=12000000",
  entry("one.service", STARTING, 3_000_000),
  entry("one.service", STARTED, 5_000_000),
  entry("basic.target", STARTED, 6_000_000),
  entry("sysinit.target", STARTED, 15_000_000),
  entry("basic.target", STARTED, 20_000_000),
  entry("multi-user.target", STARTED, 25_000_000),
  entry("ashlar-agent.service", STARTED, 26_500_000),
  "reported 33.25",
  "chain multi-user.target @20s",
];

test("a report is read from between what else the console says", () => {
  const text = LINES.map((line) => `boot-report ${line}\r\n[  OK  ] Started something.\r\n`).join("");
  const report = parseBootReport(text);
  assert.equal(report.busySeconds, 4.41);
  assert.equal(report.endAt, 30.5);
  assert.equal(report.reportedAt, 33.25);
  assert.deepEqual(report.units[0], { unit: "one.service", startedAt: 3, readyAt: 5 });
  assert.deepEqual(report.processes, [
    { name: "systemd", seconds: 2, children: 4 },
    { name: "a) b", seconds: 0.1, children: 0 },
  ]);
  const phases = phasesOf(report);
  assert.equal(phases.get("kernel to the system's systemd"), 10);
  assert.equal(phases.get("  initrd"), 8);
  // The initrd's own basic.target is another one.
  assert.equal(phases.get("sysinit.target to basic.target"), 5);
  assert.equal(phases.get("multi-user.target to the agent's start"), 1.5);
  assert.equal(phases.get("multi-user.target to health"), undefined);
});

test("a report that lacks a part is refused", () => {
  const text = LINES.slice(1).map((line) => `boot-report ${line}\n`);
  assert.throws(() => parseBootReport(text.join("")), /boot-report uptime/u);
});
