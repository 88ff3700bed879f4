import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { clearInterval, setInterval } from "node:timers";
import { after, test } from "node:test";
import { startPatience } from "./patience.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-patience-"));
after(() => rmSync(directory, { recursive: true }));

/** What the kernel would say of a machine that is busy all the time for this part of it. */
function setStalls(cpuMs: number, ioMs: number): void {
  for (const [name, ms] of [
    ["cpu", cpuMs],
    ["io", ioMs],
  ] as const) {
    const line = (kind: string, total: number): string => `${kind} avg10=0.00 avg60=0.00 avg300=0.00 total=${total}\n`;
    // Whole at once, as the kernel's.
    writeFileSync(join(directory, "new"), line("some", Math.round(ms * 1000)) + line("full", 0));
    renameSync(join(directory, "new"), join(directory, name));
  }
}

async function timeUntilLate(limitMs: number, where = directory): Promise<{ ms: number; text: string }> {
  const started = performance.now();
  const { late, describe } = startPatience(limitMs, where, new AbortController().signal);
  await new Promise((resolve) => late.addEventListener("abort", resolve));
  return { ms: performance.now() - started, text: describe() };
}

test("a machine that is not busy, and one that does not say", async () => {
  setStalls(1000, 1000);
  for (const where of [directory, join(directory, "missing")]) {
    const { ms, text } = await timeUntilLate(300, where);
    assert.ok(ms >= 295 && ms < 1000, `${ms} ms`);
    assert.equal(text, "no answer within 0.3 s");
  }
});

for (const [what, isCpu] of [
  ["processor", true],
  ["disk", false],
] as const) {
  test(`time in which tasks wait for a ${what} does not count, but not for ever`, async () => {
    setStalls(0, 0);
    const started = performance.now();
    const timer = setInterval(() => {
      const ms = performance.now() - started;
      setStalls(isCpu ? ms : 0, isCpu ? 0 : ms);
    }, 5);
    try {
      const { ms, text } = await timeUntilLate(300);
      // Ten times the limit; the last tick may be a whole one.
      assert.ok(ms > 1500 && ms < 4500, `${ms} ms`);
      assert.match(text, /^no answer within 0\.3 s and [123] s in which the machine was busy$/u);
    } finally {
      clearInterval(timer);
    }
  });
}

test("what is done is not late", async () => {
  setStalls(0, 0);
  const done = new AbortController();
  const { late } = startPatience(50, directory, done.signal);
  done.abort();
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.equal(late.aborted, false);
});
