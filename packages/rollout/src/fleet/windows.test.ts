import assert from "node:assert/strict";
import { test } from "node:test";
import type { MaintenanceWindow } from "@ashlar/declaration";
import type { FleetLook } from "./look-at-fleet.ts";
import { lookAtFleet } from "./look-at-fleet.ts";
import { TEST_POLICY, testFleetNode } from "./test-policy.ts";
import { isOpen, windowAt } from "./windows.ts";

const HALF_HOUR_MS = 1_800_000;
const FRIDAY: MaintenanceWindow = { days: ["fri"], start: "22:00", durationMinutes: 480, timeZone: "Europe/Prague" };

/** Prague is an hour ahead of UTC in winter. 2026-12-04 is a Friday. */
test("Friday's window: open on Saturday morning, closed on Friday morning, and for turns that would not end in it", () => {
  const cases: readonly (readonly [time: string, isWindow: boolean, why: RegExp | undefined])[] = [
    ["2026-12-04T20:59Z", false, /^it is outside of the windows, the next begins at 2026-12-04T21:00:00Z$/u],
    ["2026-12-04T21:00Z", true, undefined],
    ["2026-12-05T04:30Z", true, undefined],
    ["2026-12-05T04:31Z", true, /^what is left of the window is too short, the next begins at 2026-12-11T21:00:00Z$/u],
    ["2026-12-05T05:00Z", false, /^it is outside/u],
    ["2026-12-04T03:00Z", false, /^it is outside/u],
  ];
  for (const [time, isWindow, why] of cases) {
    assert.equal(isOpen([FRIDAY], Date.parse(time)), isWindow, time);
    const found = windowAt([FRIDAY], HALF_HOUR_MS, Date.parse(time));
    if (why === undefined) assert.equal(found, undefined, time);
    else assert.match(found ?? "", why, time);
  }
});

test("a window keeps its length when the clocks change", () => {
  const night = { ...FRIDAY, days: ["sun"], start: "01:00", durationMinutes: 180 } as const;
  // 2026-03-29, 02:00 is 03:00; 2026-10-25, 03:00 is 02:00 again.
  for (const [begin, end] of [
    ["2026-03-29T00:00Z", "2026-03-29T03:00Z"],
    ["2026-10-24T23:00Z", "2026-10-25T02:00Z"],
  ] as const) {
    const [from, to] = [Date.parse(begin), Date.parse(end)];
    assert.deepEqual(
      [isOpen([night], from - 1), isOpen([night], from), isOpen([night], to - 1), isOpen([night], to)],
      [false, true, true, false],
    );
    assert.equal(windowAt([night], HALF_HOUR_MS, to - HALF_HOUR_MS), undefined);
    assert.match(windowAt([night], HALF_HOUR_MS, to - HALF_HOUR_MS + 1) ?? "", /too short/u);
  }
});

test("windows that are too short for any turn say so, and of several the first that fits counts", () => {
  const short = { ...FRIDAY, durationMinutes: 20 };
  assert.equal(
    windowAt([short], HALF_HOUR_MS, 0),
    "no window is as long as a turn may take: 30 minutes, to drain and to restart",
  );
  const daily = { ...FRIDAY, days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] } as const;
  assert.match(windowAt([short, daily], HALF_HOUR_MS, Date.parse("2026-12-01T12:00Z")) ?? "", /2026-12-01T21:00:00Z$/u);
  assert.equal(windowAt([], HALF_HOUR_MS, 0), undefined);
});

test("outside of the windows nodes fetch the release, and none is away; what was drained is given back", () => {
  const policy = { ...TEST_POLICY, windows: [FRIDAY] };
  const at = (time: string, state: "Waiting" | "Staged" | "Draining" | "Rebooting"): FleetLook => {
    const record = { name: "a", wave: "rest", state, sinceMs: Date.parse(time), message: "", drains: 0 };
    return lookAtFleet(policy, { attempt: 1, records: [record] }, [testFleetNode("a")], { nowMs: Date.parse(time) });
  };
  const stateAt = (time: string, state: "Waiting" | "Staged" | "Draining" | "Rebooting"): string | undefined =>
    at(time, state).fleet.records[0]?.state;
  const [outside, inside] = ["2026-12-04T12:00Z", "2026-12-04T22:00Z"];
  assert.equal(stateAt(outside, "Waiting"), "Staging");
  assert.equal(stateAt(outside, "Staged"), "Staged");
  assert.equal(stateAt(inside, "Staged"), "Draining");
  assert.equal(stateAt(outside, "Draining"), "Returning");
  assert.equal(stateAt(outside, "Rebooting"), "Rebooting");
  assert.match(at(outside, "Staged").waitsFor ?? "", /next begins at 2026-12-04T21:00:00Z/u);
});
