import assert from "node:assert/strict";
import { test } from "node:test";
import { expectationsOf } from "./expected/expectations.ts";
import { configWord } from "@ashlar/protocol";
import { sha256 } from "@ashlar/formats";
import { knownExtensionOf } from "./expected/known-extension.ts";
import { nodeIdentity } from "./expected/node-identity.ts";
import {
  mergedWord,
  testExtension,
  withExtensionWords,
  testLogs,
  testRelease,
  userspaceLogBytes,
  type TestLogs,
} from "@ashlar/protocol/test-fixtures";
import { TestAuthority, TestNode } from "./test-node.ts";
import { CHALLENGE, verificationInput } from "./test-verification-input.ts";
import type { NodeVerdict } from "./verdict.ts";
import { verifyEvidence, type VerificationInput } from "./verify-evidence.ts";

const authority = new TestAuthority();
const node = new TestNode(authority);
const RELEASE = testRelease("1.0.0");
const OLD = testExtension("kubernetes", "v1.33.2");
const NEW = testExtension("kubernetes", "v1.33.5");
const CONFIG = `extensions: [{name: kubernetes, version: v1.33.*, tier: community}]`;
const EXPECTATIONS = expectationsOf({
  release: RELEASE,
  classConfig: Buffer.from(
    JSON.stringify({
      storage: { files: [{ path: "/etc/ashlar/extensions.yaml", contents: { source: `data:,${encodeURI(CONFIG)}` } }] },
    }),
  ),
  nodeConfig: new Uint8Array(),
  extensions: { known: [OLD, NEW].map(knownExtensionOf), exceptions: [], alsoAllowed: [] },
});
const { classConfigSha256, nodeConfigSha256 } = EXPECTATIONS;
const BARE = testLogs(RELEASE, classConfigSha256, nodeConfigSha256);

node.boot(BARE);
const INPUT: VerificationInput = verificationInput(node, EXPECTATIONS, authority);

function judgeBoot(logs: TestLogs, change: Partial<VerificationInput> = {}): NodeVerdict {
  node.boot(logs);
  return verifyEvidence(node.evidence(RELEASE, CHALLENGE), { ...INPUT, ...change }).verdict;
}

function differencesOf(verdict: NodeVerdict): string[] {
  return verdict.differences.map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
}

test("an extension that is refreshed without a restart changes the identity at once, and the proof holds", () => {
  const before = judgeBoot(withExtensionWords(BARE, [mergedWord(OLD)]));
  assert.deepEqual([before.level, before.extensions[0]?.version], ["proven", "v1.33.2"]);
  assert.equal(before.extensions[0]?.note, "v1.33.5 is published");
  const words = [mergedWord(OLD), mergedWord(NEW)];
  const after = judgeBoot(withExtensionWords(BARE, words));
  assert.deepEqual([after.level, after.extensions[0]?.version], ["proven", "v1.33.5"]);
  const [first, second] = words.map((word) =>
    nodeIdentity(RELEASE, classConfigSha256, [{ ...word, rootHash: word.rootHash ?? "" }]),
  );
  assert.deepEqual([before.identity, after.identity], [first, second]);
  assert.equal(judgeBoot(withExtensionWords(BARE, [mergedWord(NEW)])).identity, second, "as after a restart");
});

test("a declared extension that is not there is a mismatch", () => {
  const verdict = judgeBoot(BARE);
  assert.equal(verdict.level, "mismatch");
  assert.deepEqual(differencesOf(verdict), ["extension kubernetes: the sysext v1.33.*, merged / not merged"]);
});

test("without anything published the level is unknown, whatever the maker", () => {
  const expectations = { ...EXPECTATIONS, extensions: { ...EXPECTATIONS.extensions, known: [] } };
  const verdict = judgeBoot(withExtensionWords(BARE, [mergedWord(NEW)]), { expectations });
  assert.equal(verdict.level, "unknown");
  assert.match(differencesOf(verdict).join("\n"), /^extension kubernetes: .*give --releases or --extension$/u);
});

test("words about extensions come after the configuration's, and nothing else comes among them", () => {
  const index = BARE.words.findIndex(({ pcr }) => pcr === 13);
  const merged = { pcr: 13, word: `sysext:kubernetes:${NEW.image.rootHash}` };
  for (const early of [index, index + 1]) {
    const verdict = judgeBoot({ ...BARE, words: BARE.words.toSpliced(early, 0, merged) });
    assert.match(differencesOf(verdict).join("\n"), /^PCR 13, unexpected word: nothing \/ "sysext:kubernetes:/u);
    assert.deepEqual([verdict.level, verdict.identity, verdict.config], ["mismatch", null, null]);
  }
  const strangers = [
    "sysext:kubernetes",
    `sysext:Kubernetes:${"ab".repeat(32)}`,
    configWord("class", classConfigSha256),
  ];
  for (const word of strangers) {
    const verdict = judgeBoot(withExtensionWords(BARE, [mergedWord(NEW), word, mergedWord(NEW)]));
    assert.match(differencesOf(verdict).join("\n"), /^PCR 13, unexpected word: nothing/u);
    assert.deepEqual([verdict.level, verdict.identity], ["mismatch", null]);
  }
  const digest = sha256(merged.word);
  const byFirmware = { pcr: 13, type: 0x0d, digest, data: Buffer.from(merged.word) };
  const verdict = judgeBoot({ ...BARE, firmware: [...BARE.firmware, byFirmware] });
  assert.match(
    differencesOf(verdict).join("\n"),
    /^PCR 13, unexpected word: nothing \/ an event in the firmware's log with digest/u,
  );
});

test("a log that tells of other words than were measured, or leaves one out, does not replay", () => {
  const logs = withExtensionWords(BARE, [mergedWord(OLD), mergedWord(NEW)]);
  node.boot(logs);
  const evidence = node.evidence(RELEASE, CHALLENGE);
  const index = logs.words.findIndex(({ word }) => word.startsWith("sysext:"));
  const swapped = logs.words.with(index, logs.words[index + 1]!).with(index + 1, logs.words[index]!);
  const forged = logs.words.with(index, { pcr: 13, word: `sysext:kubernetes:${"cd".repeat(32)}` });
  for (const words of [logs.words.toSpliced(index, 1), swapped, forged]) {
    const { verdict } = verifyEvidence({ ...evidence, userspaceLog: userspaceLogBytes(words) }, INPUT);
    assert.match(differencesOf(verdict).join("\n"), /^PCR 13, replay of the event logs/u);
    assert.deepEqual([verdict.level, verdict.extensions], ["mismatch", []]);
  }
});
