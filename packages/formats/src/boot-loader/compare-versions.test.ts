import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { compareVersions } from "./compare-versions.ts";

const SIGNS: Readonly<Record<string, number>> = { "<": -1, "==": 0, ">": 1 };

/** The examples of the Version Format Specification, but for two where systemd decides otherwise (see below). */
const EXAMPLES = [
  "11 == 11",
  "systemd-123 == systemd-123",
  "bar-123 < foo-123",
  "123a > 123",
  "123.a > 123",
  "123.a < 123.b",
  "123a > 123.a",
  "11α == 11β",
  "A < a",
  " < 0",
  "0. > 0",
  "0.0 > 0",
  "1_ == 1",
  "_1 == 1",
  "1_ < 1.2",
  "1_2_3 > 1.3.3",
  "1+ == 1",
  "+1 == 1",
  "1+ < 1.2",
  "1+2+3 > 1.3.3",
];

/** Oldest first. */
const ORDERED = [
  "122.1",
  "123~rc1-1",
  "123",
  "123-a",
  "123-a.1",
  "123-1",
  "123-1.1",
  "123^post1",
  "123.a-1",
  "123.1-1",
  "123a-1",
  "124-1",
  "1000000000000000000000000",
  "1000000000000000000000001",
];

test("the specification's examples", () => {
  for (const example of EXAMPLES) {
    const [a = "", sign = "", b = ""] = example.split(" ");
    assert.equal(compareVersions(a, b), SIGNS[sign], example);
  }
});

test("versions in order, each against each", () => {
  for (const [i, a] of ORDERED.entries()) {
    for (const [j, b] of ORDERED.entries()) assert.equal(compareVersions(a, b), Math.sign(i - j), `${a} and ${b}`);
  }
});

test("a tilde is older than nothing, whatever the specification's examples say: systemd decides what boots", () => {
  assert.equal(compareVersions("0", "~"), 1);
  assert.equal(compareVersions("", "~"), 1);
  assert.equal(compareVersions("1.1.0~rc1", "1.1.0"), -1);
  // As `systemd-analyze compare-versions` of systemd 257 says, too.
  assert.equal(compareVersions("v1.33.4", "v1.33.4+k3s1"), -1);
  assert.equal(compareVersions("v1.33.4+k3s10", "v1.33.4+k3s9"), 1);
});

test("any text compares in time and in a total order", () => {
  const piece = fc.constantFrom("0", "00", "1", "9", "10", "a", "B", "rc", ".", "-", "~", "^", "_", "+");
  const version = fc.oneof(
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")),
    fc.string({ maxLength: 12 }),
  );
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      assert.equal(compareVersions(a, a), 0);
      assert.equal(compareVersions(a, b), -compareVersions(b, a) + 0);
      const [x = "", y = "", z = ""] = [a, b, c].toSorted(compareVersions);
      assert.ok(compareVersions(x, y) <= 0 && compareVersions(y, z) <= 0 && compareVersions(x, z) <= 0);
    }),
    { numRuns: 5000 },
  );
  assert.equal(compareVersions("1".repeat(1_000_000), "1".repeat(999_999)), 1);
});

test("as systemd-analyze compares them", (context) => {
  const compare = (a: string, b: string): number | null =>
    spawnSync("systemd-analyze", ["compare-versions", "--", a, b]).status;
  if (compare("2", "1") !== 11) return context.skip("no systemd-analyze with compare-versions here");
  const component = fc.constantFrom("0", "01", "1", "10", "a", "rc1");
  const separator = fc.constantFrom("", ".", "-", "~", "^", "_", "+", "~.", "-^");
  const version = fc
    .array(fc.tuple(component, separator), { minLength: 1, maxLength: 4 })
    .map((all) => all.flat().join(""));
  fc.assert(
    fc.property(version, version, (a, b) => {
      // sysexits of its own: 0 when equal, 11 when the first is newer, 12 when it is older.
      assert.equal(compare(a, b), [12, 0, 11][compareVersions(a, b) + 1], `${a} and ${b}`);
    }),
    { numRuns: 60 },
  );
});
