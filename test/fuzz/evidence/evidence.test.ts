import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeFleet, parseEkRoots, verifyEvidence, type NamedVerdict } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { parsePublic } from "@ashlar/formats";
import { mergedWord, testLogs, withExtensionWords } from "@ashlar/protocol/test-fixtures";
import { tryInput } from "../try-input.ts";
import { draftOf, evidenceOf } from "./draft.ts";
import { assertHonest } from "./expected-value.ts";
import { EXTENSIONS, makeFleet, RELEASE } from "./honest-fleet.ts";
import { judgeCase, judgeDraft } from "./judge-case.ts";

const FLEET = makeFleet();
const [NODE] = FLEET;

function honestVerdict(): NamedVerdict {
  const { nodes } = judgeFleet([{ name: NODE.name, ...verifyEvidence(NODE.evidence, NODE.input) }]);
  assert.ok(nodes[0] !== undefined);
  return nodes[0];
}

test("a verifier sees no difference between a real TPM and the one that cases are made with", () => {
  const authority = new TestAuthority();
  const node = new TestNode(authority);
  const { classConfigSha256, nodeConfigSha256 } = NODE.expectations;
  const words = EXTENSIONS.slice(0, 1).map(mergedWord);
  node.boot(withExtensionWords(testLogs(RELEASE, classConfigSha256, nodeConfigSha256), words));
  const input = { ...NODE.input, pin: node.pin, ekRoots: parseEkRoots(authority.roots) };
  const times = { challengedAtMs: Date.now(), nowMs: Date.now() };
  const evidence = node.evidence(RELEASE, NODE.challenge);
  const { verdict } = verifyEvidence(evidence, { ...input, ...times });
  assert.deepEqual({ name: NODE.name, ...verdict }, honestVerdict());
  const [real, soft] = [evidence.ak, NODE.evidence.ak].map((ak) => parsePublic(ak));
  assert.deepEqual({ ...real, x: 0, y: 0, area: 0 }, { ...soft, x: 0, y: 0, area: 0 });
});

test("both nodes are proven as they are, and a value that was not measured is noticed in a verdict", () => {
  for (const [self, other] of [FLEET, FLEET.toReversed()] as const) {
    const draft = draftOf(self ?? NODE, other ?? NODE);
    judgeDraft(draft, evidenceOf(draft));
  }
  const verdict = honestVerdict();
  assertHonest(verdict, NODE.evidence, NODE, RELEASE);
  const changes: readonly Partial<NamedVerdict>[] = [
    { identity: null },
    { config: null },
    { nodeConfig: null },
    { release: "9.9.9" },
    { name: "node-2" },
    { extensions: [] },
  ];
  for (const change of changes) {
    assert.throws(() => assertHonest({ ...verdict, ...change }, NODE.evidence, NODE, RELEASE), {
      name: "AssertionError",
    });
  }
});

test("cases: some are proven, most are refused, none is a fault", () => {
  const outcomes = Array.from({ length: 300 }, (_, index) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(1 + index * 7919);
    return tryInput(judgeCase, bytes);
  });
  assert.deepEqual(
    outcomes.filter((outcome) => typeof outcome !== "string"),
    [],
  );
  const accepted = outcomes.filter((outcome) => outcome === "accepted").length;
  assert.ok(accepted > 20 && accepted < 200, String(accepted));
});
