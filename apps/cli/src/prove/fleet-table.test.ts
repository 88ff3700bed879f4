import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_VERDICT, LEVELS, type Level, type NamedVerdict, type NextBootVerdict } from "@ashlar/identity";
import { formatAge } from "@ashlar/views";
import { fleetTable } from "./fleet-table.ts";

const NEXT_BOOT: NextBootVerdict = { release: "1.1.0", level: "proven", differences: [], fallback: null, notes: [] };
const PROVEN: NamedVerdict = {
  ...EMPTY_VERDICT,
  name: "worker",
  level: "proven",
  differences: [],
  nextBoot: NEXT_BOOT,
};

test("ages and tables for people", () => {
  const ages = [0, 119_000, 121_000, 7_100_000, 7_300_000, 180_000_000];
  assert.equal(ages.map(formatAge).join(", "), "0 s, 119 s, 2 min, 118 min, 2 h, 2 d");
  assert.equal(fleetTable([], new Map()).length, 1);
});

test("whose systemd-boot starts a node next is below its line", () => {
  const note = "systemd-boot on the ESP is that of 1.0.0";
  const table = fleetTable([{ ...PROVEN, nextBoot: { ...NEXT_BOOT, notes: [note] } }], new Map());
  assert.equal(table.at(-1), `  next boot: ${note}`);
});

test("a proven node whose next boot is not has another line than one of which all is proven", () => {
  const lineOf = (level: Level): string => {
    const difference = { code: "slot", what: "slot of 1.1.0", expected: "one", found: "none" } as const;
    const differences = level === "proven" ? [] : [difference];
    return String(fleetTable([{ ...PROVEN, nextBoot: { ...NEXT_BOOT, level, differences } }], new Map())[1]);
  };
  assert.equal(new Set(LEVELS.map(lineOf)).size, LEVELS.length);
  for (const level of LEVELS.filter((each) => each !== "proven")) {
    assert.match(
      lineOf(level),
      new RegExp(`1\\.1\\.0 ${level}.*next boot, slot of 1\\.1\\.0: expected one, found none`, "u"),
    );
  }
});
