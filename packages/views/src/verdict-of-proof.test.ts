import assert from "node:assert/strict";
import { test } from "node:test";
import { verdictOfProof, type ProofContent } from "./verdict-of-proof.ts";

const IDENTITY = "a".repeat(64);
const proven = (status: "True" | "False" | "Unknown"): NonNullable<ProofContent["conditions"]>[number] => ({
  type: "Proven",
  status,
  reason: "ProofTooOld",
  message: "no answer for two hours",
});
const STATUS: ProofContent = {
  class: "worker",
  level: "proven",
  release: "1.1.0",
  identity: IDENTITY,
  nextBoot: { level: "proven", release: "1.1.0" },
  extensions: [
    { kind: "sysext", name: "kubernetes", version: "v1", rootHash: "b".repeat(64) },
    { kind: "newext", name: "x", rootHash: "b".repeat(64) },
  ],
  lastProved: "2026-03-01T00:00:00Z",
  conditions: [proven("True")],
};

test("a proof that holds is a verdict", () => {
  const { verdict, provedAtMs, className } = verdictOfProof({ name: "node-1", status: STATUS });
  assert.deepEqual(
    [verdict.level, verdict.release, verdict.identity, className],
    ["proven", "1.1.0", IDENTITY, "worker"],
  );
  assert.equal(provedAtMs, Date.parse("2026-03-01T00:00:00Z"));
  assert.deepEqual(
    verdict.extensions.map(({ name }) => name),
    ["kubernetes"],
  );
  assert.deepEqual(verdict.differences, []);
});

test("while the condition is Unknown or missing, no level is believed, neither of now nor of the next boot", () => {
  for (const conditions of [[proven("Unknown")], [], undefined]) {
    const status = { ...STATUS, ...(conditions === undefined ? {} : { conditions }) };
    if (conditions === undefined) delete (status as { conditions?: unknown }).conditions;
    const { verdict } = verdictOfProof({ name: "node-1", status });
    assert.deepEqual([verdict.level, verdict.nextBoot?.level], ["unknown", "unknown"]);
    assert.equal(verdict.differences[0]?.what, "NodeProof");
  }
  assert.equal(verdictOfProof({ name: "node-1", status: undefined }).verdict.level, "unknown");
});

test("differences are about now or about the next boot; a code of tomorrow is nothing to rest on", () => {
  const differences = [
    { about: "running", code: "class-config", what: "w", expected: "e", found: "f" },
    { about: "running", code: "of-tomorrow", what: "w", expected: "e", found: "f" },
    { about: "next-boot", code: "slot", what: "w", expected: "e", found: "f" },
  ] as const;
  const status = { ...STATUS, level: "mismatch", conditions: [proven("False")], differences } as const;
  const { verdict } = verdictOfProof({ name: "node-1", status });
  assert.deepEqual(
    verdict.differences.map(({ code }) => code),
    ["class-config", "agent-answer"],
  );
  assert.deepEqual(
    verdict.nextBoot?.differences.map(({ code }) => code),
    ["slot"],
  );
});
