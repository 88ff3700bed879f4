import assert from "node:assert/strict";
import { test } from "node:test";
import type { DemoReport } from "./demo-report.ts";
import { renderReport } from "./render-report.ts";

test("what nodes, releases and programs have said is text of the page", () => {
  const hostile = `</td><script>alert("x")</script>' onload='x\u001b[2J\u202e https://u:secret@h/`;
  const report = {
    schema: "ashlar.demo/v1",
    release: {
      version: hostile,
      usrRootHash: hostile,
      usrSizeBytes: 1,
      ukiSha256: hostile,
      ukiSizeBytes: 1,
      pcrs: { "4": hostile, "11": hostile },
    },
    proof: {
      verdict: hostile,
      identities: 1,
      nodes: [{ name: hostile, level: hostile, release: hostile, identity: hostile, config: hostile }],
    },
    acts: [{ attempt: hostile, result: hostile, held: true }],
    steps: [{ title: hostile, seconds: 1 }],
    held: true,
    // Types say what the command prints; what it has printed is read from a file.
  } as unknown as DemoReport;
  const page = renderReport(report);
  assert.doesNotMatch(page, /<script|[^\P{Cc}\n]|\p{Bidi_Control}|secret/u);
  assert.doesNotMatch(page, /' onload/u);
  assert.match(page, /&#60;script&#62;/u);
});
