/** For tests of the judge: a node that runs what was declared, its evidence, and what judges it. */
import assert from "node:assert/strict";
import { sha256 } from "@ashlar/formats";
import type { Evidence, ManifestFile, ReleaseManifest } from "@ashlar/protocol/answers";
import { TEST_MACHINE_ID, testLogs, testRelease, type TestLogs } from "@ashlar/protocol/test-fixtures";
import { expectationsOf, type Expectations } from "./expected/expectations.ts";
import { nodeIdentity } from "./expected/node-identity.ts";
import { TestAuthority, TestNode } from "./test-node.ts";
import { CHALLENGE, verificationInput } from "./test-verification-input.ts";
import type { NodeVerdict } from "./verdict.ts";
import { verifyEvidence, type VerificationInput } from "./verify-evidence.ts";

export { CHALLENGE } from "./test-verification-input.ts";

const authority = new TestAuthority();
export const node: TestNode = new TestNode(authority);
/** Another machine, of a maker whom nobody trusts here. Made first, so that its certificate is valid now. */
export const otherAuthority: TestAuthority = new TestAuthority();
export const otherNode: TestNode = new TestNode(otherAuthority, "sha1,sha256");

export const FILES: readonly ManifestFile[] = [
  { type: "link", path: "/usr/bin/sh", target: "dash" },
  { type: "file", path: "/usr/share/motd", sizeBytes: 2, sha256: sha256("hi") },
];
export const RELEASE: ReleaseManifest = testRelease("1.0.0", "1.0.0", FILES);
export const EXPECTATIONS: Expectations = expectationsOf({
  release: RELEASE,
  classConfig: Buffer.from("{}"),
  nodeConfig: Buffer.from("[]"),
});
const { classConfigSha256, nodeConfigSha256 } = EXPECTATIONS;
const USUAL = testLogs(RELEASE, classConfigSha256, nodeConfigSha256);
/** What the node logs, whose machine ID is its own: so another TPM can measure the same. */
export const LOGS: TestLogs = {
  ...USUAL,
  words: USUAL.words.map(({ pcr, word }) => ({ pcr, word: word.replace(TEST_MACHINE_ID, node.machineId) })),
};

node.boot(LOGS);
export const INPUT: VerificationInput = verificationInput(node, EXPECTATIONS, authority);
export const NOW: number = INPUT.nowMs;
export const EVIDENCE: ReturnType<TestNode["evidence"]> = node.evidence(RELEASE, CHALLENGE);
export const IDENTITY: string = nodeIdentity(RELEASE, classConfigSha256);

export function judge(evidence: Evidence, change: Partial<VerificationInput> = {}): NodeVerdict {
  return verifyEvidence(evidence, { ...INPUT, ...change }).verdict;
}

/** The verdict over a machine that really measured these logs. */
export function judgeBoot(
  logs: TestLogs,
  change: Partial<VerificationInput> = {},
  release: ReleaseManifest = RELEASE,
): NodeVerdict {
  node.boot(logs);
  return judge(node.evidence(release, CHALLENGE), change);
}

/** Asserts a mismatch without identity, and that these differ: patterns for `what: expected / found`, one each, in order. */
export function assertRefused(verdict: NodeVerdict, ...patterns: readonly RegExp[]): void {
  const differences = verdict.differences.map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
  assert.equal(verdict.level, "mismatch", differences.join("\n"));
  assert.equal(verdict.identity, null);
  assert.equal(differences.length, patterns.length, differences.join("\n"));
  for (const [index, pattern] of patterns.entries()) assert.match(differences[index] ?? "", pattern);
}

export function withWords(words: TestLogs["words"]): TestLogs {
  return { ...LOGS, words };
}

/** An event of the firmware's, whatever the log says about it. */
export function event(pcr: number, digest: string): TestLogs["firmware"][number] {
  return { pcr, type: 0x0d, digest, data: Buffer.from("whatever the log says") };
}
