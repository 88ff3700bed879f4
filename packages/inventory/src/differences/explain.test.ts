import assert from "node:assert/strict";
import { test } from "node:test";
import { deb, extension, file, node, release, runningOf } from "../test-nodes.ts";
import { compareConfigs } from "./compare-configs.ts";
import { explainDifference, type Differences } from "./explain.ts";
import { explainChanges, explainNodes } from "./groups.ts";

const OLD = release(
  "1.0.0",
  [deb("runc", "1", "runc"), deb("vim", "1", "vim")],
  [file("/usr/a", "a"), file("/usr/b", "a")],
);
const NEW = release(
  "1.1.0",
  [deb("runc", "2", "runc"), deb("nano", "1", "nano")],
  [file("/usr/a", "a"), file("/usr/b", "b")],
);
const [K4, K5] = ["v1.33.4", "v1.33.5"].map((version) =>
  extension("kubernetes", version, { files: [file("/usr/bin/kubelet", version.at(-1) ?? "")] }),
);
if (K4 === undefined || K5 === undefined) throw new TypeError("two were made");
const MANIFESTS = { releases: [OLD, NEW], extensions: [K4, K5] };
const BUTANE = `variant: flatcar
version: 1.1.0
storage:
  files:
    - path: /etc/motd
      contents:
        inline: hello
    - path: /etc/other
      mode: 0644
`;
const CHANGED = BUTANE.replace("hello", "good bye").replace("/etc/other", "/etc/another");
const [ONE, OTHER] = ["1".repeat(64), "2".repeat(64)];
const CONFIGS = [
  { name: "worker.bu", text: BUTANE, sha256: ONE },
  { name: "storage.bu", text: CHANGED, sha256: OTHER },
];
const KNOWLEDGE = { manifests: MANIFESTS, configs: CONFIGS };

test("a release: packages, files and the boot chain, from the manifests of exactly these builds", () => {
  const { release: found, extensions, configuration } = explainDifference(runningOf(OLD), runningOf(NEW), KNOWLEDGE);
  assert.deepEqual([extensions, configuration], [[], null]);
  assert.deepEqual([found?.from, found?.to], ["1.0.0", "1.1.0"]);
  assert.deepEqual(found?.contents?.packages, {
    added: [deb("nano", "1", "nano")],
    removed: [deb("vim", "1", "vim")],
    changed: [{ name: "runc", from: "1", to: "2" }],
  });
  assert.deepEqual(
    found?.contents?.files.changed.map(({ path }) => path),
    ["/usr/b"],
  );
  assert.deepEqual(
    found?.bootChain?.map(({ what }) => what),
    ["os-release", "kernel command line"],
  );
  const blind = explainDifference(runningOf(OLD), runningOf(NEW), {
    manifests: { releases: [OLD], extensions: [] },
    configs: [],
  });
  assert.deepEqual(blind.release, { from: "1.0.0", to: "1.1.0", contents: null, bootChain: null });
});

test("another build under the same version is a difference, with and without its manifest", () => {
  const other = { ...OLD, usr: { ...OLD.usr, rootHash: "9".repeat(64) }, files: [file("/usr/a", "f")] };
  const releaseOf = (releases: readonly (typeof OLD)[]): Differences["release"] =>
    explainDifference(runningOf(OLD), runningOf(other), { manifests: { releases, extensions: [] }, configs: [] })
      .release;
  assert.deepEqual(
    releaseOf([OLD, other])?.contents?.files.changed.map(({ path }) => path),
    ["/usr/a"],
  );
  assert.deepEqual(releaseOf([OLD]), { from: "1.0.0", to: "1.0.0", contents: null, bootChain: null });
  assert.equal(explainDifference(runningOf(OLD), runningOf(OLD, [K4]), KNOWLEDGE).release, null);
});

test("extensions: another version, merged on one side alone", () => {
  const [changed] = explainDifference(runningOf(OLD, [K4]), runningOf(OLD, [K5]), KNOWLEDGE).extensions;
  assert.deepEqual([changed?.from?.version, changed?.to?.version], ["v1.33.4", "v1.33.5"]);
  assert.deepEqual(
    changed?.contents?.files.changed.map(({ path }) => path),
    ["/usr/bin/kubelet"],
  );
  const [added] = explainDifference(runningOf(OLD), runningOf(OLD, [K5]), KNOWLEDGE).extensions;
  assert.deepEqual([added?.from, added?.to?.version, added?.contents], [null, "v1.33.5", null]);
});

test("configuration: the key in the Butane file, with its line on both sides", () => {
  const found = explainDifference(runningOf(OLD, [], ONE), runningOf(OLD, [], OTHER), KNOWLEDGE);
  assert.equal(found.release, null);
  assert.deepEqual([found.configuration?.from.name, found.configuration?.to.name], ["worker.bu", "storage.bu"]);
  assert.deepEqual(found.configuration?.keys, [
    {
      key: "storage.files[/etc/motd].contents.inline",
      from: { text: "hello", line: 7 },
      to: { text: "good bye", line: 7 },
    },
    { key: "storage.files[/etc/other].path", from: { text: "/etc/other", line: 8 }, to: null },
    { key: "storage.files[/etc/other].mode", from: { text: "0644", line: 9 }, to: null },
    { key: "storage.files[/etc/another].path", from: null, to: { text: "/etc/another", line: 8 } },
    { key: "storage.files[/etc/another].mode", from: null, to: { text: "0644", line: 9 } },
  ]);
  const stranger = explainDifference(runningOf(OLD, [], ONE), runningOf(OLD, [], "3".repeat(64)), KNOWLEDGE);
  assert.deepEqual(stranger.configuration?.to, { sha256: "3".repeat(64), name: null });
  assert.equal(stranger.configuration?.keys, null);
});

test("files that differ in form alone, aliases, and what is no YAML", () => {
  assert.deepEqual(compareConfigs("a: 1\nb: [x, y]\n", "b:\n  - x\n  - y\na: 1\n"), []);
  assert.deepEqual(compareConfigs("a: &x {b: 1}\nc: *x\n", "a: {b: 1}\nc: {b: 2}\n"), [
    { key: "c.b", from: { text: "1", line: 1 }, to: { text: "2", line: 2 } },
  ]);
  assert.deepEqual(compareConfigs("a: []\n", "a: {}\n"), [
    { key: "a", from: { text: "[]", line: 1 }, to: { text: "{}", line: 1 } },
  ]);
  assert.equal(compareConfigs("a: [", "a: 1"), undefined);
  assert.equal(compareConfigs("[".repeat(500), "a: 1"), undefined);
  const bomb = `a0: &a0 [x, x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`).join("")}`;
  assert.equal(compareConfigs(bomb, "a: 1"), undefined);
  assert.equal(compareConfigs("a: &x 1\nb: &x 2\nc: *x\n", "a: 1"), undefined);
});

test("nodes by what they run, the largest group first; complaints and firmware by who has them", () => {
  const firmware = { "0": "a", "2": "b", "3": "c", "7": "d" };
  const nodes = [
    { ...node("n1", NEW), firmware },
    { ...node("o1", OLD), firmware: { ...firmware, "0": "z" } },
    { ...node("o2", OLD, [], "mismatch"), complaints: ["PCR 13: ..."], firmware },
    { ...node("o3", OLD), firmware },
    {
      name: "silent",
      level: "unknown",
      running: { identity: null, release: null, config: null, extensions: [] },
      complaints: ["no answer"],
    },
  ] as const;
  const { groups, unknown, complaints, firmware: machines } = explainNodes(nodes, KNOWLEDGE);
  assert.deepEqual(
    groups.map(({ nodes: names, levels, differences }) => [names, levels, differences?.release?.to]),
    [
      [["o1", "o2", "o3"], { proven: 2, mismatch: 1 }, undefined],
      [["n1"], { proven: 1 }, "1.1.0"],
    ],
  );
  assert.deepEqual(unknown, ["silent"]);
  assert.deepEqual(complaints, [
    { text: "PCR 13: ...", nodes: ["o2"] },
    { text: "no answer", nodes: ["silent"] },
  ]);
  assert.deepEqual(
    machines.map(({ nodes: names }) => names),
    [["n1", "o2", "o3"], ["o1"]],
  );
});

test("from one certificate to the next: nodes that changed alike together", () => {
  const before = [node("a", OLD), node("b", OLD), node("c", OLD), node("left", OLD)];
  const after = [node("a", NEW), node("b", NEW), node("c", OLD, [K4]), node("joined", NEW)];
  const changes = explainChanges(before, after, KNOWLEDGE);
  assert.deepEqual(
    changes.map(({ nodes, differences }) => [nodes, differences.release?.to, differences.extensions[0]?.name]),
    [
      [["a", "b"], "1.1.0", undefined],
      [["c"], undefined, "kubernetes"],
    ],
  );
});
