import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_VERDICT, type Level, type NamedVerdict, type NextBootVerdict } from "@ashlar/identity";
import { dueAtMs, type DueFacts } from "./due.ts";
import { unknownNode, type KnownNode } from "./known-node.ts";
import { messageOf, sendTogether } from "./messages.ts";
import { metricsText } from "./metric.ts";
import { METRICS } from "./metrics.ts";
import { changesOf, nextStaleAtMs, standingOf, toldLevelOf, type Change } from "./standing.ts";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-03-04T05:06:07Z");
const WRONG = { code: "class-config", what: "PCR 13, class config", expected: "a", found: "<b> & @channel" } as const;

function verdict(name: string, level: Level, next: Level | null = "proven"): NamedVerdict {
  const nextBoot: NextBootVerdict | null =
    next === null ? null : { release: "1.0.0", level: next, differences: [], fallback: null, notes: [] };
  const differences = level === "mismatch" ? [WRONG] : [];
  return { ...EMPTY_VERDICT, name, level, release: "1.0.0", identity: "a".repeat(64), nextBoot, differences };
}

function node(level: Level, ageMs: number, more: Partial<KnownNode> = {}): KnownNode {
  const atMs = NOW - ageMs;
  const known = { verdict: verdict("a", level), provedAtMs: atMs, askedAtMs: atMs, toldLevel: level };
  return { ...unknownNode("a"), ...known, ...more };
}

test("when a node is due", () => {
  const due = (facts: Partial<DueFacts>): number =>
    dueAtMs({ name: "a", askedAtMs: NOW, silences: 0, ...facts }, NOW, HOUR) - NOW;
  assert.equal(due({ askedAtMs: undefined }), 0, "never asked");
  assert.equal(due({ askedAtMs: NOW + 1 }), 0, "asked in the future: the clock was set back");
  assert.ok(due({}) > 0.8 * HOUR && due({}) <= HOUR);
  assert.equal(due({}), due({}), "after a restart it is due when it was due before");
  const times = new Set(Array.from({ length: 100 }, (_, index) => due({ name: `node-${index}` })));
  assert.ok(times.size > 90, "a fleet that was asked at once does not stay in step");
  const spread = [...times].toSorted((a, b) => a - b);
  assert.ok((spread.at(-1) ?? 0) - (spread[0] ?? 0) > 0.15 * HOUR);
  assert.deepEqual(
    [1, 2, 3, 30].map((silences) => Math.round(due({ silences }) / 1000)),
    [10, 20, 40, Math.round(due({}) / 1000)],
  );
});

test("what a verdict is worth by now", () => {
  const silent = { silences: 3, silence: "connect ECONNREFUSED" };
  const cases: readonly (readonly [string, KnownNode, Level, RegExp | undefined])[] = [
    ["fresh", node("proven", HOUR), "proven", undefined],
    ["as old as it may be", node("proven", 3 * HOUR), "proven", undefined],
    ["too old", node("proven", 3 * HOUR + 1), "unknown", /^10800 s$/u],
    ["silent, and fresh", node("proven", HOUR, silent), "proven", undefined],
    ["silent, and too old", node("proven", 4 * HOUR, silent), "unknown", /^14400 s, and since then: connect/u],
    ["wrong, and fresh", node("mismatch", HOUR), "mismatch", /channel/u],
    ["wrong, and too old: it may have been mended", node("mismatch", 4 * HOUR), "unknown", /^14400 s$/u],
    ["from the future", node("proven", -10 * 60_000), "unknown", /^evidence from the future$/u],
    ["never asked", unknownNode("a"), "unknown", /^none yet/u],
    ["never answered", { ...unknownNode("a"), askedAtMs: NOW, ...silent }, "unknown", /^connect/u],
  ];
  for (const [name, known, level, found] of cases) {
    const standing = standingOf(known, NOW, 3 * HOUR);
    assert.equal(standing.verdict.level, level, name);
    const first = standing.verdict.differences[0]?.found;
    if (found === undefined) assert.equal(first, undefined, name);
    else assert.match(first ?? "", found, name);
    if (level === "unknown") assert.notEqual(standing.verdict.nextBoot?.level, "proven", name);
  }
});

test("a change is told once; what the node would boot next counts", () => {
  const told = (known: KnownNode): string =>
    changesOf([known], NOW, 3 * HOUR)
      .map(({ from, to }) => `${from} -> ${to}`)
      .join();
  assert.equal(told(node("proven", HOUR)), "");
  assert.equal(told(node("proven", HOUR, { toldLevel: "unknown" })), "unknown -> proven");
  assert.equal(told(node("proven", HOUR, { toldLevel: undefined })), "undefined -> proven");
  assert.equal(told(node("proven", 4 * HOUR)), "proven -> unknown");
  assert.equal(told(unknownNode("a")), "", "it has not been asked yet");
  assert.equal(told({ ...unknownNode("a"), askedAtMs: NOW }), "undefined -> unknown");
  const next = node("proven", HOUR, { verdict: verdict("a", "proven", "mismatch") });
  assert.equal(told(next), "proven -> mismatch");
  assert.equal(
    toldLevelOf(standingOf(node("proven", 0, { verdict: verdict("a", "proven", null) }), NOW, HOUR)),
    "proven",
  );
});

test("when the next verdict gets too old", () => {
  const nodes = [node("proven", HOUR), node("proven", 2 * HOUR), node("proven", 9 * HOUR), unknownNode("b")];
  assert.equal(nextStaleAtMs(nodes, NOW, 3 * HOUR), NOW + HOUR + 1);
  assert.equal(nextStaleAtMs([unknownNode("b")], NOW, HOUR), Number.POSITIVE_INFINITY);
});

test("messages", () => {
  const change: Change = { node: "a", from: "proven", to: "mismatch", difference: WRONG, atMs: NOW };
  const event = messageOf("cloudevents", [change], "7", "urn:ashlar:fleet:fleet.yaml");
  assert.match(event.contentType, /^application\/cloudevents\+json/u);
  assert.deepEqual(JSON.parse(event.body), {
    specversion: "1.0",
    id: "7",
    source: "urn:ashlar:fleet:fleet.yaml",
    type: "ashlar.node.level-changed.v1",
    subject: "a",
    time: "2026-03-04T05:06:07.000Z",
    datacontenttype: "application/json",
    data: { node: "a", from: "proven", to: "mismatch", difference: WRONG },
  });
  const slack = messageOf("slack", [change], "7", "fleet.yaml");
  const text =
    ":red_circle: a is *mismatch* (was proven)\nPCR 13, class config: expected a, found &lt;b&gt; &amp; @channel";
  assert.deepEqual(JSON.parse(slack.body), { text });
  // What happens to many at once is one message to people, and to programs one for each.
  const many = Array.from({ length: 12 }, (_, index) => ({ ...change, node: `node-${index}`, difference: undefined }));
  assert.deepEqual(
    (["slack", "cloudevents"] as const).map((kind) => [sendTogether(kind, many).length, sendTogether(kind, []).length]),
    [
      [1, 0],
      [12, 0],
    ],
  );
  const { text: all }: { text: string } = JSON.parse(messageOf("slack", many, "7", "fleet.yaml").body);
  assert.deepEqual(all.split("\n").slice(9), [
    ":red_circle: node-9 is *mismatch* (was proven)",
    "and 2 more nodes have another level than before",
  ]);
});

test("metrics: the text format of Prometheus, and no series that grows with the fleet", () => {
  const nodes = Array.from({ length: 100 }, (_, index) =>
    standingOf(node(index === 0 ? "mismatch" : "proven", HOUR), NOW, 3 * HOUR),
  );
  const counters = {
    asked: { answered: 5, silent: 1 },
    askedSeconds: 1.5,
    changes: { proven: 1, reported: 0, mismatch: 2, unknown: 0 },
    webhooks: { delivered: 3, failed: 4 },
  };
  const usage = { cpuSeconds: 1.5, residentBytes: 1000, startedAt: 100 };
  const facts = { standings: nodes, counters, usage, pendingMessages: 2, declaredAtMs: NOW - 1000, nowMs: NOW };
  const text = metricsText(METRICS, facts);
  for (const line of [
    'ashlar_nodes{level="proven"} 99',
    'ashlar_nodes{level="unknown"} 0',
    'ashlar_differences{code="class-config"} 1',
    'ashlar_nodes_asked_total{result="silent"} 1',
    'ashlar_level_changes_total{to="mismatch"} 2',
    "ashlar_evidence_age_seconds_max 3600",
    "ashlar_fleet_file_age_seconds 1",
    "# TYPE ashlar_webhook_pending gauge",
  ])
    assert.ok(text.includes(`${line}\n`), line);
  for (const line of text.trimEnd().split("\n"))
    assert.match(line, /^(?:# (?:HELP|TYPE) )?(?:ashlar|process)_[a-z_]+/u);
  // Every label and value that is there has been announced.
  for (const { name, labels, samples } of METRICS) {
    for (const [found] of samples(facts)) {
      for (const [label, value] of Object.entries(found))
        assert.ok(labels[label]?.includes(value), `${name} ${label}=${value}`);
    }
  }
});
