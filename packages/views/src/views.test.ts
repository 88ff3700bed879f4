import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DIFFERENCE_CODES,
  EMPTY_VERDICT,
  type Difference,
  type DifferenceCode,
  type NodeVerdict,
} from "@ashlar/identity";
import {
  chainOf,
  checkCommands,
  compareNodes,
  filterNodes,
  formatAge,
  groupNodes,
  levelNow,
  linkOf,
  summaryOfNode,
  type NodeView,
} from "./index.ts";

const DAY_MS = 86_400_000;

function difference(code: DifferenceCode): Difference {
  return { code, what: code, expected: "a", found: "b" };
}

function verdict(level: NodeVerdict["level"], ...codes: readonly DifferenceCode[]): NodeVerdict {
  return { ...EMPTY_VERDICT, level, differences: codes.map(difference) };
}

test("a level is worth what its age says: old and future evidence proves nothing, a mismatch stays", () => {
  const cases = [
    ["proven", 0, "proven"],
    ["proven", DAY_MS, "proven"],
    ["proven", DAY_MS + 1, "unknown"],
    ["proven", -60_000, "proven"],
    ["proven", -60_001, "unknown"],
    ["proven", -DAY_MS, "unknown"],
    ["proven", Number.NaN, "unknown"],
    ["proven", undefined, "unknown"],
    ["reported", DAY_MS + 1, "unknown"],
    ["mismatch", DAY_MS + 1, "mismatch"],
    ["mismatch", undefined, "mismatch"],
    ["unknown", 0, "unknown"],
  ] as const;
  for (const [level, ageMs, expected] of cases)
    assert.equal(levelNow(level, ageMs, DAY_MS), expected, `${level} ${ageMs}`);
});

test("ages", () => {
  assert.deepEqual([-5, 119_000, 180_000, 7_300_000, 4 * DAY_MS].map(formatAge), [
    "0 s",
    "119 s",
    "3 min",
    "2 h",
    "4 d",
  ]);
});

const states = (judged: NodeVerdict, level = judged.level): string =>
  chainOf(judged, level)
    .map(({ state }) => state[0])
    .join("");

test("each link of the chain has its state; what rests on a wrong link is not proven, and silence proves nothing", () => {
  // tpm, firmware, loader, uki, usr, configuration, extensions; u: unknown or unproven
  assert.equal(states(verdict("proven")), "ppppppp");
  assert.equal(states(verdict("reported", "ek-chain")), "rrrrrrr");
  assert.equal(states(verdict("proven"), "unknown"), "uuuuuuu");
  assert.equal(states(verdict("mismatch", "quote-signature")), "muuuuuu");
  assert.equal(states(verdict("mismatch", "firmware-pin")), "pmuuuuu");
  assert.equal(states(verdict("mismatch", "boot-program", "uki-section")), "ppmmuuu");
  assert.equal(states(verdict("mismatch", "root-hash")), "ppppmuu");
  assert.equal(states(verdict("mismatch", "class-config")), "pppppmp");
  assert.equal(states(verdict("mismatch", "extension-undeclared", "ek-chain")), "rrrrrrm");
  assert.equal(states(verdict("unknown", "agent-answer")), "uuuuuuu");
  const [tpm] = chainOf(verdict("reported", "ek-chain"), "reported");
  assert.deepEqual(tpm?.differences, [difference("ek-chain")]);
});

test("every code has its link, and one that nobody knows counts against the foundation", () => {
  for (const code of Object.keys(DIFFERENCE_CODES)) assert.equal(typeof linkOf(code), "string");
  assert.equal(linkOf("of-tomorrow"), "tpm");
  assert.equal(linkOf("constructor"), "tpm");
});

const summaries = [
  { name: "worker-1", level: "proven", release: "1.0.0", identity: "aa" },
  { name: "worker-2", level: "proven", release: "1.0.0", identity: "aa" },
  { name: "edge-1", level: "mismatch", release: "1.1.0", identity: "bb" },
  { name: "edge-2", level: "unknown", release: null, identity: null },
] as const;
const shown = summaries.map((each) => ({
  node: summaryOfNode({ ...verdict(each.level), ...each }, { provedAt: null, className: null }),
  level: each.level,
}));
const namesOf = (found: readonly { readonly node: { readonly name: string } }[]): string =>
  found.map(({ node }) => node.name).join(" ");

test("a filter finds nodes by words and levels", () => {
  assert.equal(namesOf(filterNodes(shown, " EDGE ", new Set())), "edge-1 edge-2");
  assert.equal(namesOf(filterNodes(shown, "worker 1.0.0 2", new Set())), "worker-2");
  assert.equal(namesOf(filterNodes(shown, "", new Set(["mismatch", "unknown"]))), "edge-1 edge-2");
  assert.equal(namesOf(filterNodes(shown, "nothing", new Set())), "");
});

test("groups: the largest first, levels the worst first, and never more than can be looked at", () => {
  const groups = (by: Parameters<typeof groupNodes>[1], most = 50): unknown =>
    groupNodes(shown, by, most).map(({ key, nodes }) => [key, namesOf(nodes)]);
  assert.deepEqual(groups("identity"), [
    ["aa", "worker-1 worker-2"],
    ["bb", "edge-1"],
    [null, "edge-2"],
  ]);
  assert.deepEqual(groups("level"), [
    ["mismatch", "edge-1"],
    ["unknown", "edge-2"],
    ["proven", "worker-1 worker-2"],
  ]);
  assert.deepEqual(groups("identity", 2), [
    ["aa", "worker-1 worker-2"],
    [undefined, "edge-1 edge-2"],
  ]);
  assert.deepEqual(groupNodes([], "none", 1), []);
});

test("a summary names the most telling difference, of the next boot where nothing else differs", () => {
  const nextBoot = {
    release: "2",
    level: "mismatch",
    differences: [difference("slot")],
    fallback: null,
    notes: [],
  } as const;
  const node = summaryOfNode({ name: "a", ...verdict("proven"), nextBoot }, { provedAt: null, className: "worker" });
  assert.deepEqual(
    [node.difference?.code, node.differences, node.class, node.nextBoot?.level],
    ["slot", 1, "worker", "mismatch"],
  );
});

function view(change: Partial<NodeVerdict>, measured: Partial<NodeView["measured"]> | null = null): NodeView {
  const full = {
    pcrs: {},
    bank: "sha256",
    programs: [],
    usrRootHash: null,
    commandLine: "",
    ekSha256: "e",
    akName: "k",
    enrolledAt: "",
    ...measured,
  } as const;
  return {
    schema: "ashlar.node-view/v1",
    at: "",
    maxAgeSeconds: 1,
    name: "n",
    class: null,
    provedAt: null,
    verdict: { ...verdict("proven"), ...change },
    measured: measured === null ? null : full,
    evidence: [],
  };
}

test("compared: the same, different, or not known; two unknown values are not the same", () => {
  const extension = {
    kind: "sysext",
    name: "kubernetes",
    version: "v1",
    rootHash: "ff",
    note: null,
    until: null,
  } as const;
  const rows = compareNodes(
    view({ release: "1", config: "c", extensions: [extension] }, { pcrs: { 0: "x" } }),
    view({ release: "2", config: "c" }, { pcrs: { 0: "y" } }),
  );
  const found = (what: string): string | undefined => rows.find((row) => row.what === what)?.verdict;
  assert.equal(found("Release"), "differs");
  assert.equal(found("Class configuration"), "same");
  assert.equal(found("Identity"), "unknown");
  assert.equal(found("Extension kubernetes"), "differs");
  assert.deepEqual(rows.find(({ what }) => what === "Firmware, PCR 0")?.isOwn, true);
});

test("commands are offered for files that are there, and hold no text of a node", () => {
  assert.deepEqual(checkCommands([]), []);
  assert.equal(checkCommands(["ak.pub", "quote.msg", "quote.sig", "qualifying-data"]).length, 2);
});
