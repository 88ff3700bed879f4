import assert from "node:assert/strict";
import { test } from "node:test";
import { showProofs } from "./show-proofs.ts";
import type { Proof, ProofContent } from "./verdict-of-proof.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const DAY_MS = 86_400_000;
const AGES = { freshnessSeconds: new Map([["worker", 600]]), otherwiseSeconds: 3600 };

function proof(name: string, level: "proven" | "reported" | "mismatch", ageMs: number, change: object = {}): Proof {
  const condition = {
    type: "Proven",
    status: level === "proven" ? "True" : "False",
    reason: "R",
    message: "m",
  } as const;
  const status: ProofContent = {
    class: "worker",
    level,
    nextBoot: { level: "proven", release: "1.1.0" },
    lastProved: new Date(NOW_MS - ageMs).toISOString(),
    conditions: [condition],
    ...change,
  };
  return { name, status };
}

test("a proof holds as long as its class says, by the reader's clock: then nothing is known of now, nor of the next boot", () => {
  const cases = [
    [proof("n", "proven", 600_000), "proven", "proven"],
    [proof("n", "proven", 600_001), "unknown", "unknown"],
    [proof("n", "reported", DAY_MS), "unknown", "unknown"],
    [proof("n", "mismatch", DAY_MS), "mismatch", "unknown"],
    // The reader's clock is a day behind, or the writer's a day ahead.
    [proof("n", "proven", -DAY_MS), "unknown", "unknown"],
    [proof("n", "proven", 3_600_000, { class: "other" }), "proven", "proven"],
    [proof("n", "proven", 3_600_001, { class: "other" }), "unknown", "unknown"],
    [proof("n", "proven", 0, { lastProved: "yesterday" }), "unknown", "unknown"],
  ] as const;
  for (const [given, level, next] of cases) {
    const [shown] = showProofs([given], AGES, NOW_MS);
    assert.deepEqual([shown?.level, shown?.verdict.level, shown?.node.nextBoot?.level], [level, level, next]);
  }
});

test("why a proof has ended is its first difference", () => {
  const said = (ageMs: number, change: object = {}): string | undefined => {
    const [shown] = showProofs([proof("n", "proven", ageMs, change)], AGES, NOW_MS);
    return shown?.node.difference?.found;
  };
  assert.equal(said(0), undefined);
  assert.equal(said(7_200_000), "one 2 h old: does the operator run?");
  assert.equal(said(-DAY_MS), "one 24 h in the future: a clock is wrong");
  assert.equal(said(0, { lastProved: "yesterday" }), "none");
});

test("by name, as people count", () => {
  const proofs = ["worker-10", "worker-2", "a"].map((name) => proof(name, "proven", 0));
  assert.deepEqual(
    showProofs(proofs, AGES, NOW_MS).map(({ node }) => node.name),
    ["a", "worker-2", "worker-10"],
  );
});
