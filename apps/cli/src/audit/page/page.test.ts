import assert from "node:assert/strict";
import { test } from "node:test";
import type { Comparison, FileForm, Group } from "@ashlar/audit";
import { findArtefacts } from "./artefacts.ts";
import { placeByDistance } from "./place-by-distance.ts";
import { renderPage } from "./render-page.ts";

const HOSTILE = `<script>alert("1")</script>'&\u202e`;
const NOTHING: Group["causes"] = {
  packages: [],
  unowned: [],
  changed: [],
  metadata: [],
  configuration: [],
  state: [],
  unread: [],
};
const FORM: FileForm = {
  type: "file",
  sizeBytes: 2_000_000,
  digest: "a",
  target: HOSTILE,
  mode: "0755",
  owner: "0",
  group: "0",
  capabilities: HOSTILE,
};
const LEFT = { path: `/root/${HOSTILE}`, package: HOSTILE, here: FORM, there: undefined };
const GROUPS: readonly Group[] = [
  { nodes: ["node-1", "node-2"], causes: NOTHING },
  {
    nodes: [HOSTILE],
    causes: { ...NOTHING, unowned: [LEFT], state: [{ name: HOSTILE, here: HOSTILE, there: HOSTILE }] },
  },
  { nodes: ["c", "d"], causes: { ...NOTHING, unowned: [{ ...LEFT, here: { ...FORM, sizeBytes: 1_000_000 } }] } },
];
const node = (name: string, group: number): Comparison["nodes"][number] => ({
  name,
  host: HOSTILE,
  facts: { system: HOSTILE, kernel: HOSTILE, kubelet: undefined },
  group,
  isComplete: false,
  unread: [{ path: HOSTILE, why: "unreadable" }],
  missing: [],
  isByRoot: true,
});
const COMPARISON: Comparison = {
  nodes: GROUPS.flatMap(({ nodes }, group) => nodes.map((name) => node(name, group))),
  filesystems: 3,
  orders: 2,
  isStateCompared: true,
  groups: GROUPS,
  distances: [
    [0, 4, 5],
    [4, 0, 3],
    [5, 3, 0],
  ],
  noise: [{ name: "machine-id", reason: HOSTILE, ignored: 7 }],
};

test("what nodes say is text on the page, and nothing comes from elsewhere", () => {
  const since = {
    directory: HOSTILE,
    changed: GROUPS.slice(1).map(({ causes }) => ({ name: HOSTILE, causes })),
    unchanged: ["node-1"],
    incomplete: [HOSTILE],
    added: [HOSTILE],
    gone: [HOSTILE],
    failed: [{ name: HOSTILE, problem: HOSTILE }],
  };
  const page = renderPage(COMPARISON, [{ name: "down", problem: HOSTILE }], since);
  assert.ok(!/<script|javascript:|url\(|@import|<link|<img/iu.test(page));
  assert.ok(!page.includes("\u202e"));
  assert.equal(page.split("alert(").length, page.split("&#60;script&#62;alert(&#34;1&#34;)").length);
  for (const text of [
    "<b>5</b> nodes, <b>3</b> filesystems",
    "1 node more could not be collected",
    "Left behind: 4.0 MB on 3 nodes",
    "down: not collected",
    "Not counted: 7 differences",
    "This proves nothing",
    'class="heat-1"',
    "5 differences from group 1",
    ": 2 of 3 nodes",
    "(before: ",
  ])
    assert.ok(page.includes(text), text);
});

test("nodes that are alike have a page without pictures", () => {
  const page = renderPage({ ...COMPARISON, groups: GROUPS.slice(0, 1), distances: [[0]], noise: [] }, []);
  assert.ok(page.includes("All nodes are alike"));
  assert.ok(!page.includes("<svg"));
});

test("what was left behind: each file once, the sizes of all nodes together", () => {
  assert.deepEqual(findArtefacts(GROUPS), {
    files: [{ path: LEFT.path, sizeBytes: 2_000_000, nodes: 3 }],
    sizeBytes: 4_000_000,
    nodes: 3,
  });
});

test("points in the plane have the distances that were given", () => {
  const points = [
    [0, 0],
    [3, 0],
    [0, 4],
    [5, 5],
  ] as const;
  const between = (all: readonly (readonly [number, number])[]): number[][] =>
    all.map(([x, y]) => all.map(([u, v]) => Math.hypot(x - u, y - v)));
  const found = between(placeByDistance(between(points))).flat();
  for (const [index, distance] of between(points).flat().entries())
    assert.ok(Math.abs(distance - (found[index] ?? 0)) < 1e-6, `${found[index]} for ${distance}`);
  assert.deepEqual(
    placeByDistance([
      [0, 0],
      [0, 0],
    ])
      .flat()
      .map(Math.abs),
    [0, 0, 0, 0],
  );
});
