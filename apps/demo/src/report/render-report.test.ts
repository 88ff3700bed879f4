import assert from "node:assert/strict";
import { test } from "node:test";
import type { DemoReport, ReportedVerdict } from "../demo-report.ts";
import { renderReport } from "./render-report.ts";
import { renderTimeline } from "./timeline.ts";

test("what nodes, releases and programs have said is text of the page", () => {
  const hostile = `</td><script>alert("x")</script>' onload='x\u001b[2J\u202e https://u:secret@h/`;
  const node = { name: hostile, level: hostile, release: hostile, identity: hostile, config: hostile };
  const nextBoot = { level: hostile, release: hostile };
  const merged = [{ kind: hostile, name: hostile, version: hostile, rootHash: hostile, note: hostile, until: hostile }];
  const outcome = { attempt: hostile, result: hostile, held: true, reach: hostile, stoppedBy: hostile, title: hostile };
  const startedAt = "2026-11-22T20:05:00.000Z";
  const report = {
    schema: "ashlar.demo/v3",
    release: {
      version: hostile,
      usrRootHash: hostile,
      usrSizeBytes: 1,
      ukiSha256: hostile,
      ukiSizeBytes: 1,
      pcrs: { "4": hostile, "11": hostile },
    },
    proof: { verdict: hostile, identities: 1, nodes: [{ ...node, nextBoot, extensions: merged }] },
    acts: [
      { ...outcome, act: "attacks" },
      { ...outcome, act: "update" },
    ],
    steps: [{ act: hostile, title: hostile, startedAt, seconds: 1 }],
    verdicts: [{ at: startedAt, act: hostile, nodes: [{ ...node, extensions: merged }] }],
    requests: [{ act: "update", at: startedAt, answered: 1, second: 0, failed: 1 }],
    held: true,
    // Types say what the command prints; what it has printed is read from a file.
  } as unknown as DemoReport;
  const page = renderReport(report);
  assert.doesNotMatch(page, /<script|[^\P{Cc}\n]|\p{Bidi_Control}|secret/u);
  assert.doesNotMatch(page, /' onload/u);
  assert.match(page, /&#60;script&#62;/u);
  assert.match(page, /<svg/u);
});

test("the timeline has a bar where a node stayed the same, and none where it changed or was another's", () => {
  const at = (second: number): string => new Date(Date.UTC(2026, 10, 22) + second * 1000).toISOString();
  const verdict = (second: number, release: string): ReportedVerdict => ({
    at: at(second),
    act: "update",
    nodes: [
      { name: "node-1", level: "proven", release, identity: release, extensions: [] },
      { name: "node-2", level: "proven", release: "1.0.0", identity: "1.0.0", extensions: [] },
    ],
  });
  const steps = [
    { act: "provision", title: "one", startedAt: at(0), seconds: 60 },
    // Played on a lab that was kept, a day later.
    { act: "update", title: "two", startedAt: at(86_400), seconds: 60 },
  ] as const;
  const verdicts = [verdict(59, "1.0.0"), verdict(86_430, "1.1.0"), verdict(86_460, "1.1.0")];
  const requests = [
    { at: at(86_400), answered: 100, second: 3, failed: 0 },
    { at: at(86_410), answered: 99, second: 0, failed: 1 },
  ];
  const drawing = renderTimeline({ steps, verdicts, requests });
  assert.equal(drawing.match(/class="between"/gu)?.length, 1);
  assert.equal(drawing.match(/class="bar proven"/gu)?.length, 3);
  assert.equal(drawing.match(/class="answered"/gu)?.length, 2);
  assert.equal(drawing.match(/class="failed"/gu)?.length, 1);
  const centres = [...drawing.matchAll(/cx="(?<x>[0-9.]+)"/gu)].map(({ groups }) => Number(groups?.["x"]));
  assert.deepEqual(centres, [517.3, 756.5, 988, 517.3, 756.5, 988]);
});
