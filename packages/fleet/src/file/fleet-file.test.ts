import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatProblem } from "@ashlar/base";
import { parseFleet } from "./fleet-file.ts";
import { expandPattern } from "./node-pattern.ts";
import { fleetJsonSchema } from "./schema.ts";

const WHOLE = `schema: ashlar.fleet/v1
releases: https://releases.example.org/
releaseRoot: release-root.json
trust: {ekRoots: makers.pem}
classes:
  control:
    config: control.bu
    release: 1.2.0
  worker:
    config: worker.bu
    channel: stable
    extensions: [manifests]
    trust: {ekRoots: others.pem, acceptExpiredEk: true}
nodes:
  - {name: cp-1, class: control, nodeConfig: nodes/cp-1.ign, labels: {zone: a}}
  - {pattern: "node-[1-3]", class: worker, url: "https://{name}.example.org:7443", nodeConfig: "nodes/{name}.ign"}
  - {source: kubernetes, context: prod, selector: pool=workers}
`;

test("nodes by name, by pattern and from a cluster", () => {
  const { fleet, report } = parseFleet(WHOLE);
  assert.deepEqual(report, []);
  assert.deepEqual(
    fleet?.nodes.map(({ name, url, nodeConfig }) => [name, url, nodeConfig]),
    [
      ["cp-1", "https://cp-1:7443", "nodes/cp-1.ign"],
      ["node-1", "https://node-1.example.org:7443", "nodes/node-1.ign"],
      ["node-2", "https://node-2.example.org:7443", "nodes/node-2.ign"],
      ["node-3", "https://node-3.example.org:7443", "nodes/node-3.ign"],
    ],
  );
  assert.deepEqual(fleet.nodes[0]?.labels, { zone: "a" });
  assert.deepEqual(fleet.clusters, [{ context: "prod", selector: "pool=workers", labels: {} }]);
  assert.deepEqual(fleet.classes.get("worker")?.trust, { ekRoots: "others.pem", acceptExpiredEk: true });
});

/** Each: what takes the place of what, and the problem's line, column and message. */
const WRONG: readonly (readonly [string, string, string])[] = [
  ["schema: ashlar.fleet/v1", "schema: ashlar.fleet/v2", "fleet.yaml:1:9: error at $.schema: expected ashlar.fleet/v1"],
  ["releaseRoot", "releaseroot", "fleet.yaml:3:14: error at $.releaseroot: expected a known key"],
  ["config: control.bu", "config: 1", "fleet.yaml:7:13: error at $.classes.control.config: expected a Butane file"],
  ["release: 1.2.0", "release: 1.2", "fleet.yaml:8:14: error at $.classes.control.release: expected a version"],
  [
    "release: 1.2.0",
    "release: 1.2.0\n    image: x",
    "fleet.yaml:8:14: error at $.classes.control.release: expected one of image",
  ],
  [
    "releases: https://releases.example.org/\n",
    "",
    "fleet.yaml:7:14: error at $.classes.control.release: expected the repository",
  ],
  [
    "class: control,",
    "class: controls,",
    "fleet.yaml:15:25: error at $.nodes.0.class: expected one of the classes control",
  ],
  ["class: control,", "", "fleet.yaml:15:5: error at $.nodes.0: expected a class, found none"],
  ["name: cp-1", "name: node-2", "fleet.yaml:16:5: error at $.nodes.1: expected each node once, found node-2 again"],
  ["name: cp-1", "name: ../cp", "fleet.yaml:15:12: error at $.nodes.0.name: expected host names"],
  ["name: cp-1", "name: cp-1, pattern: a", "error at $.nodes.0.pattern: expected one of name, pattern, source"],
  ["node-[1-3]", "node-[3-1]", "fleet.yaml:16:15: error at $.nodes.1.pattern: expected a range that goes up"],
  ["node-[1-3]", "node-[1-999999]", "error at $.nodes.1.pattern: expected a pattern of at most 100000 names"],
  ["node-[1-3]", "node-3", "error at $.nodes.1.pattern: expected ranges of numbers"],
  ["https://{name}.example", "http://{name}.example", "error at $.nodes.1.url: expected an https URL"],
  ["https://{name}.example", "https://all.example", "error at $.nodes.1.url: expected {name} in the URL"],
  ["source: kubernetes", "source: openstack", "fleet.yaml:17:14: error at $.nodes.2.source: expected kubernetes"],
  [
    "source: kubernetes",
    "source: kubernetes, url: x",
    "error at $.nodes.2.url: expected url only with name or pattern",
  ],
  ["labels: {zone: a}", "labels: {zone: 1}", "error at $.nodes.0.labels.zone: expected a text: put numbers"],
  ["labels: {zone: a}", "selector: a=b", "error at $.nodes.0.selector: expected selector only with source"],
  ["nodes:", "nodes: &all", "expected no anchors"],
  ["nodes:", "nodes: [", "error: "],
];

test("what is wrong has its line and column", () => {
  for (const [from, to, expected] of WRONG) {
    const text = WHOLE.replace(from, to).replace("&all", "&all\n  - *all");
    const { fleet, report } = parseFleet(text);
    assert.equal(fleet, undefined, to);
    const shown = report.map((problem) => formatProblem(problem, { name: "fleet.yaml", text })).join("\n");
    assert.ok(shown.includes(expected), `${to}: ${shown}`);
  }
});

test("all problems are told at once", () => {
  const text = WHOLE.replace("class: control,", "class: no,").replace("class: worker,", "class: neither,");
  assert.equal(parseFleet(text).report.length, 2);
});

test("text that would keep the library busy is refused first", () => {
  for (const text of ["[".repeat(100_000), "- ".repeat(60_000), " ".repeat(5000).concat("a:"), "x".repeat(200_000)]) {
    const started = process.cpuUsage().user;
    const { fleet, report } = parseFleet(text);
    assert.equal(fleet, undefined);
    assert.match(report[0]?.message ?? "", /^expected (?:a few levels|at most)/u);
    assert.ok(process.cpuUsage().user - started < 500_000);
  }
});

test("patterns count up with the digits of their first number", () => {
  assert.deepEqual(expandPattern("n[8-11]", 9), ["n8", "n9", "n10", "n11"]);
  assert.deepEqual(expandPattern("r[1-2]-n[08-10].x", 9), [
    "r1-n08.x",
    "r1-n09.x",
    "r1-n10.x",
    "r2-n08.x",
    "r2-n09.x",
    "r2-n10.x",
  ]);
  for (const wrong of ["n", "n[a-b]", "n[1-2", "n[1-2][", "n[2-1]"]) {
    assert.throws(() => expandPattern(wrong, 9), { code: "invalid" }, wrong);
  }
  assert.throws(() => expandPattern("[1-3][1-4]", 9), { code: "limit" });
  const range = fc.tuple(fc.nat(10_000), fc.nat(200));
  fc.assert(
    fc.property(range, ([first, more]) => {
      const names = expandPattern(`a[${first}-${first + more}]`, 1000);
      assert.equal(names.length, more + 1);
      assert.equal(new Set(names).size, names.length);
      assert.equal(names.at(-1), `a${first + more}`);
    }),
  );
});

test("any text gives a fleet or problems", () => {
  const part = fc.constantFrom(
    ...WHOLE.split(/(?<=\n)/u),
    "{",
    "]",
    "- ",
    ": ",
    "\t",
    "&a",
    "*a",
    "%",
    "!!x ",
    "? ",
    "|\n",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const { fleet, report } = parseFleet(parts.join(""));
      assert.equal(fleet === undefined, report.length > 0);
    }),
    { numRuns: 300 },
  );
});

test("the published schema says which members there are", () => {
  const schema = JSON.stringify(fleetJsonSchema());
  for (const member of ["classes", "nodeConfig", "selector", "acceptExpiredEk", "channel"]) {
    assert.ok(schema.includes(`"${member}"`), member);
  }
});
