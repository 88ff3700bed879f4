import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { expectationsOf } from "./expected/expectations.ts";
import { sha256 } from "@ashlar/formats";
import { testNextBootReport, testLogs, testRelease } from "@ashlar/protocol/test-fixtures";
import { TestAuthority, TestNode } from "./test-node.ts";
import { CHALLENGE, verificationInput } from "./test-verification-input.ts";
import type { NextBootAnswer } from "@ashlar/protocol/answers";
import { LEVELS, type NextBootVerdict } from "./verdict.ts";
import { verifyEvidence, type VerificationInput } from "./verify-evidence.ts";
import { levelWithNextBoot, verifyNextBoot, type NextBootInput } from "./verify-next-boot.ts";

const authority = new TestAuthority();
const node = new TestNode(authority);
const otherNode = new TestNode(authority);
const RELEASE = testRelease("1.0.0");
const NEXT = testRelease("1.1.0");
const releases = [RELEASE, NEXT];
const EXPECTATIONS = expectationsOf({ release: RELEASE, classConfig: Buffer.of(), nodeConfig: Buffer.of() });
const LOGS = testLogs(RELEASE, EXPECTATIONS.classConfigSha256, EXPECTATIONS.nodeConfigSha256);
for (const each of [node, otherNode]) each.boot(LOGS);
const REPORT = testNextBootReport([
  [RELEASE, "ashlar_1.0.0.efi"],
  [NEXT, "ashlar_1.1.0+3-0.efi"],
]);
const VERIFICATION: VerificationInput = verificationInput(node, EXPECTATIONS, authority);
const EVIDENCE = node.evidence(RELEASE, CHALLENGE);
const ANSWER = node.nextBoot(REPORT, CHALLENGE);

function input(change: Partial<VerificationInput> = {}): NextBootInput {
  const verification = verifyEvidence(EVIDENCE, { ...VERIFICATION, ...change });
  return { evidence: EVIDENCE, verification, challenge: CHALLENGE, releases };
}

const INPUT = input();

function assertRefused(verdict: NextBootVerdict, ...patterns: readonly RegExp[]): void {
  const differences = verdict.differences.map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
  assert.deepEqual([verdict.level, verdict.release, verdict.fallback], ["mismatch", null, null]);
  assert.equal(differences.length, patterns.length, differences.join("\n"));
  for (const [index, pattern] of patterns.entries()) assert.match(differences[index] ?? "", pattern);
}

test("a report that the proven node's TPM has bound to the question is proven", () => {
  assert.deepEqual(verifyNextBoot(ANSWER, INPUT), {
    release: "1.1.0",
    level: "proven",
    differences: [],
    fallback: { release: "1.0.0", state: "intact" },
    notes: [],
  });
});

test("a report is worth what the node is that makes it", () => {
  const reported = verifyNextBoot(ANSWER, input({ ekRoots: undefined }));
  assert.deepEqual([reported.level, reported.differences[0]?.what], ["reported", "EK certificate"]);
  const stale = verifyNextBoot(ANSWER, input({ nowMs: VERIFICATION.nowMs + 61_000 }));
  assert.deepEqual([stale.level, stale.differences[0]?.what], ["unknown", "age of the evidence"]);
  const expectations = { ...EXPECTATIONS, classConfigSha256: sha256("another") };
  const other = verifyNextBoot(ANSWER, input({ expectations }));
  assert.deepEqual([other.level, other.release, other.differences[0]?.what], ["reported", "1.1.0", "reporter"]);
  const untrusted = verifyNextBoot(ANSWER, input({ pin: { ...VERIFICATION.pin, akName: otherNode.pin.akName } }));
  assertRefused(untrusted, /^next-boot quote: evidence that holds beside it/u);
});

test("a report that nobody signed, another TPM, for another question, or for a quote of evidence is refused", () => {
  const qualifying = /^quote's qualifying data/u;
  const changed = JSON.stringify({ ...REPORT, loaderVariables: {} }, undefined, 1);
  assertRefused(verifyNextBoot({ ...ANSWER, reportText: changed }, INPUT), qualifying);
  const other = otherNode.nextBoot(REPORT, CHALLENGE);
  assertRefused(verifyNextBoot(other, INPUT), /^quote's signature/u, /^PCR values/u);
  const replayed = node.nextBoot(REPORT, { ...CHALLENGE, nonce: Buffer.alloc(32, 8) });
  assertRefused(verifyNextBoot(replayed, INPUT), qualifying);
  const relayed = node.nextBoot(REPORT, { ...CHALLENGE, tlsPublicKey: Buffer.from("another key") });
  assertRefused(verifyNextBoot(relayed, INPUT), qualifying);
  const { quoteMessage, quoteSignature } = EVIDENCE;
  assertRefused(verifyNextBoot({ ...ANSWER, quoteMessage, quoteSignature }, INPUT), qualifying);
});

test("a report that is none is refused, though it was signed", () => {
  for (const report of [{}, { ...REPORT, slots: {} }]) {
    // What a node sends has any shape.
    const answer = node.nextBoot(report as typeof REPORT, CHALLENGE);
    assertRefused(verifyNextBoot(answer, INPUT), /^next-boot report: a report \/ next-boot report: \$/u);
  }
});

test("a report from another boot, or after more was measured, is refused", () => {
  node.extend([`16:sha256=${sha256("not quoted")}`]);
  assert.equal(verifyNextBoot(node.nextBoot(REPORT, CHALLENGE), INPUT).level, "proven");
  node.extend([`9:sha256=${sha256("more")}`]);
  assertRefused(verifyNextBoot(node.nextBoot(REPORT, CHALLENGE), INPUT), /^PCR values/u);
  node.boot(LOGS);
  assertRefused(verifyNextBoot(node.nextBoot(REPORT, CHALLENGE), INPUT), /^TPM's reset and restart count/u);
});

test("for who decides on both, a wrong next boot is a mismatch, whatever runs; less than wrong changes nothing", () => {
  const { verdict } = INPUT.verification;
  const wrong = node.nextBoot({ ...REPORT, loaderConfig: "default x\n" }, CHALLENGE);
  const nextBoot = verifyNextBoot(wrong, { ...INPUT, evidence: node.evidence(RELEASE, CHALLENGE) });
  assert.equal(nextBoot.differences[0]?.what, "loader/loader.conf");
  for (const level of LEVELS) {
    assert.equal(levelWithNextBoot({ level, nextBoot }), "mismatch");
    assert.equal(levelWithNextBoot({ level, nextBoot: null }), level);
    for (const next of ["proven", "reported", "unknown"] as const) {
      assert.equal(levelWithNextBoot({ ...verdict, level, nextBoot: { ...nextBoot, level: next } }), level);
    }
  }
});

test("arbitrary bytes in any part of the answer give no proven next boot", () => {
  const parts = ["quoteMessage", "quoteSignature", "reportText"] as const;
  fc.assert(
    fc.property(fc.constantFrom(...parts), fc.nat(), fc.integer({ min: 1, max: 255 }), (part, offset, mask) => {
      const bytes = Buffer.from(ANSWER[part]);
      bytes[offset % bytes.length]! ^= mask;
      const changed: NextBootAnswer = { ...ANSWER, [part]: part === "reportText" ? bytes.toString("utf8") : bytes };
      assert.equal(verifyNextBoot(changed, INPUT).level, "mismatch", part);
    }),
    { numRuns: 500 },
  );
});
