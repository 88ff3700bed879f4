import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@ashlar/formats";
import { testLogs, testRelease } from "@ashlar/protocol/test-fixtures";
import { nodeIdentity } from "./expected/node-identity.ts";
import {
  assertRefused,
  CHALLENGE,
  event,
  EVIDENCE,
  EXPECTATIONS,
  FILES,
  IDENTITY,
  judge,
  judgeBoot,
  LOGS,
  node,
  RELEASE,
} from "./test-judged-node.ts";

const { classConfigSha256, nodeConfigSha256 } = EXPECTATIONS;

test("while it is a node's turn both releases are proven, each with its own identity; else only the declared one", () => {
  const next = testRelease("1.1.0");
  const logs = testLogs(next, classConfigSha256, nodeConfigSha256);
  const both = { expectations: { ...EXPECTATIONS, alsoAllowed: [next] } };
  const updated = judgeBoot(logs, both, next);
  assert.deepEqual([updated.level, updated.release, updated.differences], ["proven", "1.1.0", []]);
  assert.equal(updated.identity, nodeIdentity(next, classConfigSha256));
  assert.deepEqual([judge(EVIDENCE, both).level, judge(EVIDENCE, both).identity], ["proven", IDENTITY]);
  // Known is not allowed.
  const early = judgeBoot(logs, { candidates: [next] }, next);
  assert.equal(early.level, "mismatch");
  assert.deepEqual(early.differences[0], { code: "release", what: "release", expected: "1.0.0", found: "1.1.0" });
  // Back on the old one, once the new one is declared.
  const late = judge(EVIDENCE, { expectations: { ...EXPECTATIONS, release: next }, candidates: [RELEASE] });
  assert.equal(late.level, "mismatch");
  assert.deepEqual(late.differences[0], { code: "release", what: "release", expected: "1.1.0", found: "1.0.0" });
});

test("systemd-boot may be that of another known release, the UKI and its kernel may not", () => {
  const other = testRelease("0.9.0");
  const older = { ...other, bootLoader: { sha256: sha256("older"), authenticode: sha256("older systemd-boot") } };
  const first = LOGS.firmware.findIndex(({ digest }) => digest === RELEASE.bootLoader.authenticode);
  const logs = { ...LOGS, firmware: LOGS.firmware.with(first, event(4, older.bootLoader.authenticode)) };
  const verdict = judgeBoot(logs, { candidates: [older] });
  assert.deepEqual([verdict.level, verdict.identity], ["proven", IDENTITY]);
  assert.deepEqual(verdict.notes, ["systemd-boot is that of 0.9.0; 1.0.0 has another one"]);
  assert.deepEqual(judge(EVIDENCE).notes, []);
  assert.equal(judgeBoot(logs, { expectations: { ...EXPECTATIONS, alsoAllowed: [older] } }).level, "proven");
  assertRefused(judgeBoot(logs), /^PCR 4, systemd-boot: /u);
  const uki = LOGS.firmware.findIndex(({ digest }) => digest === RELEASE.uki.authenticode);
  const otherUki = { ...LOGS, firmware: LOGS.firmware.with(uki, event(4, older.uki.authenticode)) };
  assertRefused(judgeBoot(otherUki, { candidates: [older] }), /^PCR 4, unified kernel image: /u);
});

test("an unknown image: the root hash and version that its measured UKI names, then programs and sections", () => {
  const unknown = testRelease("1.0.1");
  const verdict = judgeBoot(testLogs(unknown, classConfigSha256, nodeConfigSha256), {}, unknown);
  assertRefused(
    verdict,
    /^release: 1\.0\.0 \/ 1\.0\.1$/u,
    new RegExp(`^root hash of /usr: ${RELEASE.usr.rootHash} / ${unknown.usr.rootHash}$`, "u"),
    /^PCR 4, unified kernel image/u,
    /^PCR 11, UKI section \.osrel/u,
    /^PCR 11, UKI section \.cmdline/u,
    /^reported root hash of \/usr/u,
  );
  // What the node reports counts only as far as it was measured.
  const lying = judge({
    ...node.evidence(unknown, CHALLENGE),
    osRelease: "IMAGE_VERSION=9",
    commandLine: "usrhash=00",
  });
  assert.equal(lying.differences[0]?.what, "PCR 4, unified kernel image");
});

test("a known image with one changed file: that file comes first", () => {
  const files = FILES.with(1, { type: "file", path: "/usr/share/motd", sizeBytes: 3, sha256: sha256("bad") });
  const changed = testRelease("1.0.0", "one changed file", [...files, { type: "link", path: "/usr/new", target: "x" }]);
  const candidates = [testRelease("0.9.0"), changed];
  const verdict = judgeBoot(testLogs(changed, classConfigSha256, nodeConfigSha256), { candidates }, changed);
  assert.equal(verdict.level, "mismatch");
  assert.equal(verdict.identity, nodeIdentity(changed, classConfigSha256));
  assert.notEqual(verdict.identity, IDENTITY);
  assert.deepEqual(verdict.differences.slice(0, 3), [
    { code: "file", subject: "/usr/new", what: "/usr/new", expected: "no such file", found: "a link to x" },
    {
      code: "file",
      subject: "/usr/share/motd",
      what: "/usr/share/motd",
      expected: `sha256 ${sha256("hi")}`,
      found: `sha256 ${sha256("bad")}`,
    },
    { code: "root-hash", what: "root hash of /usr", expected: RELEASE.usr.rootHash, found: changed.usr.rootHash },
  ]);
});

test("a node's own word against itself counts, its silence does not", () => {
  const verity = { device: "usr", rootHash: RELEASE.usr.rootHash } as const;
  const corrupted = judge({ ...EVIDENCE, verity: { ...verity, status: "C" } });
  assert.equal(corrupted.level, "mismatch");
  assert.equal(corrupted.differences[0]?.what, "reported dm-verity status of /usr");
  assert.equal(judge({ ...EVIDENCE, verity: { device: "usr", status: "" } }).level, "proven");
});
