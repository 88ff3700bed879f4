import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import fc from "fast-check";
import { compareDebianVersions } from "./debian-version.ts";
import { compareGoVersions } from "./go-version.ts";

const ordered = (compare: typeof compareDebianVersions, versions: readonly string[]): void => {
  for (const [i, a] of versions.entries()) {
    for (const [j, b] of versions.entries()) assert.equal(compare(a, b), Math.sign(i - j), `${a} and ${b}`);
  }
};

test("Debian versions, each against each, oldest first", () => {
  ordered(compareDebianVersions, [
    "0~~",
    "0~",
    "1.0~~a",
    "1.0~rc1-1",
    "1.0",
    "1.0-1",
    "1.0-1+b1",
    "1.0a",
    "1.0+dfsg-1",
    "1.2",
    "1.10",
    "3.5.1-1~deb13u1",
    "3.5.1-1",
    "3.5.4-1~deb13u1",
    "3.5.4-1~deb13u2",
    "100000000000000000000",
    "100000000000000000001",
    "1:0.1",
    "2:0-0.1",
  ]);
  for (const [a, b] of [
    ["1.0", "1.0-0"],
    ["0:1", "1"],
    ["1.01", "1.1"],
    ["1:2:3-1", "01:2:3-1"],
  ] as const)
    assert.equal(compareDebianVersions(a, b), 0, `${a} and ${b}`);
});

test("what is no Debian version has no order", () => {
  for (const wrong of ["", "-1", "1-", "1 0", "a:1", ":1", "1_0", "2147483648:1", "1\n", "1".repeat(257)]) {
    assert.equal(compareDebianVersions(wrong, "1"), undefined, wrong);
    assert.equal(compareDebianVersions("1", wrong), undefined, wrong);
  }
});

const piece = fc.constantFrom("0", "00", "1", "9", "10", "a", "Z", "rc", ".", "+", "~", "~~", "-", "deb13u", "dfsg");
const body = fc.array(piece, { maxLength: 6 }).map((pieces) => `1${pieces.join("")}`);
const version = fc
  .tuple(fc.constantFrom("", "", "", "0:", "1:"), body)
  .map(([epoch, rest]) => `${epoch}${rest.replace(/-+$/u, "")}`);

/** Asks dpkg for all pairs from one shell: `lt`, `eq` or `gt` for each. */
function askDpkg(pairs: readonly (readonly [string, string])[]): readonly string[] {
  const script = `while read -r a b; do
    if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" eq "$b"; then echo 0; else echo 1; fi
  done`;
  const input = pairs.map((pair) => `${pair.join(" ")}\n`).join("");
  return spawnSync("sh", ["-c", script], { input, encoding: "utf8" }).stdout.trimEnd().split("\n");
}

test("10,011 pairs as dpkg orders them", { skip: needs("dpkg") }, () => {
  // Any two of 142 versions. dpkg is asked about neighbours in our order: since its order is one, that settles all pairs.
  const found = new Set(fc.sample(version, { numRuns: 2000, seed: 13 }));
  const versions = [...found].slice(0, 142).toSorted((a, b) => compareDebianVersions(a, b) ?? Number.NaN);
  assert.equal((versions.length * (versions.length - 1)) / 2, 10_011);
  const neighbours = versions.slice(1).map((each, index) => [versions[index] ?? "", each] as const);
  assert.deepEqual(
    askDpkg(neighbours),
    neighbours.map(([a, b]) => String(compareDebianVersions(a, b))),
  );
});

test("any pairs as dpkg orders them", { skip: needs("dpkg") }, () => {
  // More are tried with ASHLAR_DPKG_PAIRS=10000, which takes a minute.
  const numRuns = Number(process.env["ASHLAR_DPKG_PAIRS"] ?? 200);
  const pairs = fc.sample(fc.tuple(version, version), { numRuns });
  const answers = askDpkg(pairs);
  for (const [index, [a, b]] of pairs.entries()) {
    assert.equal(String(compareDebianVersions(a, b)), answers[index], `${a} and ${b}`);
  }
});

test("any texts have a total order or none", () => {
  const any = fc.oneof(version, fc.string({ maxLength: 8 }));
  for (const compare of [compareDebianVersions, compareGoVersions]) {
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        const [ab, ba, bc, ac] = [compare(a, b), compare(b, a), compare(b, c), compare(a, c)];
        assert.equal(ab, ba === undefined ? undefined : 0 - ba);
        if (ab !== undefined && bc !== undefined && ab <= 0 && bc <= 0) assert.ok(ac !== undefined && ac <= 0);
      }),
      { numRuns: 3000 },
    );
  }
});

test("Go versions, each against each, oldest first", () => {
  ordered(compareGoVersions, [
    "v0.0.0-20240101000000-abcdefabcdef",
    "v0.38.0",
    "v1.0.0-alpha",
    "v1.0.0-alpha.1",
    "v1.0.0-alpha.beta",
    "v1.0.0-rc.2",
    "v1.0.0-rc.11",
    "v1.0.0",
    "go1.24rc1",
    "1.24",
    "go1.24.6",
    "1.24.10",
    "v2.0.0+incompatible",
  ]);
  assert.equal(compareGoVersions("go1.24.6", "v1.24.6"), 0);
  assert.equal(compareGoVersions("1.24rc1", "1.24.0-rc.1"), 0);
  for (const wrong of ["", "v", "devel", "v1.2.3.4", "v1.2.3-", "v1.2.3-a..b"])
    assert.equal(compareGoVersions(wrong, "v1.0.0"), undefined, wrong);
});
