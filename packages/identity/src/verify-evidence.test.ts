import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePublic, sha256 } from "@ashlar/formats";
import fc from "fast-check";
import { authorityExtensions, ekExtensions, testCertificate } from "@ashlar/formats/test-certificates";
import { ekSha256Of, nameOfKey } from "./check/check-keys.ts";
import { parseEkRoots } from "./check/ek-chain.ts";
import type { Evidence, ManifestFile } from "@ashlar/protocol/answers";
import { firmwareToPin } from "./firmware-to-pin.ts";
import { expectationsOf } from "./expected/expectations.ts";
import { configWord } from "@ashlar/protocol";
import { nodeIdentity } from "./expected/node-identity.ts";
import { TestAuthority, TestNode } from "./test-node.ts";
import {
  firmwareLogBytes,
  TEST_MACHINE_ID,
  testLogs,
  testRelease,
  userspaceLogBytes,
  type TestLogs,
} from "@ashlar/protocol/test-fixtures";
import type { NodeVerdict } from "./verdict.ts";
import { verifyEvidence, type VerificationInput } from "./verify-evidence.ts";

const authority = new TestAuthority();
const node = new TestNode(authority);
const otherAuthority = new TestAuthority();
const otherNode = new TestNode(otherAuthority, "sha1,sha256");

const FILES: readonly ManifestFile[] = [
  { type: "link", path: "/usr/bin/sh", target: "dash" },
  { type: "file", path: "/usr/share/motd", sizeBytes: 2, sha256: sha256("hi") },
];
const RELEASE = testRelease("1.0.0", "1.0.0", FILES);
const EXPECTATIONS = expectationsOf({
  release: RELEASE,
  classConfig: Buffer.from("{}"),
  nodeConfig: Buffer.from("[]"),
});
const { classConfigSha256, nodeConfigSha256 } = EXPECTATIONS;
const USUAL = testLogs(RELEASE, classConfigSha256, nodeConfigSha256);
/** What the node logs, whose machine ID is its own: so another TPM can measure the same. */
const LOGS = {
  ...USUAL,
  words: USUAL.words.map(({ pcr, word }) => ({ pcr, word: word.replace(TEST_MACHINE_ID, node.machineId) })),
};
const CHALLENGE = { nonce: Buffer.alloc(32, 7), tlsPublicKey: Buffer.from("the agent's key") };
const NOW = Date.now();

node.boot(LOGS);
const INPUT: VerificationInput = {
  expectations: EXPECTATIONS,
  pin: node.pin,
  challenge: CHALLENGE,
  ekRoots: parseEkRoots(authority.roots),
  challengedAtMs: NOW,
  nowMs: NOW,
  maxAgeMs: 60_000,
};

const EVIDENCE = node.evidence(RELEASE, CHALLENGE);
const IDENTITY = nodeIdentity(RELEASE, classConfigSha256);

function judge(evidence: Evidence, change: Partial<VerificationInput> = {}): NodeVerdict {
  return verifyEvidence(evidence, { ...INPUT, ...change }).verdict;
}

/** The verdict over a machine that really measured these logs. */
function judgeBoot(logs: TestLogs, change: Partial<VerificationInput> = {}, release = RELEASE): NodeVerdict {
  node.boot(logs);
  return judge(node.evidence(release, CHALLENGE), change);
}

/** Asserts a mismatch without identity, and that these differ: patterns for `what: expected / found`, one each, in order. */
function assertRefused(verdict: NodeVerdict, ...patterns: readonly RegExp[]): void {
  const differences = verdict.differences.map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
  assert.equal(verdict.level, "mismatch", differences.join("\n"));
  assert.equal(verdict.identity, null);
  assert.equal(differences.length, patterns.length, differences.join("\n"));
  for (const [index, pattern] of patterns.entries()) assert.match(differences[index] ?? "", pattern);
}

function withWords(words: TestLogs["words"]): TestLogs {
  return { ...LOGS, words };
}

const event = (pcr: number, digest: string): TestLogs["firmware"][number] => ({
  pcr,
  type: 0x0d,
  digest,
  data: Buffer.from("whatever the log says"),
});

test("a node that runs what was declared is proven", () => {
  const { verdict, tpm } = verifyEvidence(EVIDENCE, INPUT);
  assert.deepEqual(verdict, {
    level: "proven",
    release: "1.0.0",
    identity: IDENTITY,
    config: classConfigSha256,
    nodeConfig: nodeConfigSha256,
    extensions: [],
    notes: [],
    nextBoot: null,
    differences: [],
  });
  assert.equal(tpm?.akName, INPUT.pin.akName);
});

test("without trusted makers the same evidence is only reported", () => {
  const verdict = judge(EVIDENCE, { ekRoots: undefined });
  assert.equal(verdict.level, "reported");
  assert.equal(verdict.differences[0]?.what, "EK certificate");
});

test("stale evidence, and evidence from the future, leaves the node unknown", () => {
  for (const nowMs of [NOW + 60_001, NOW - 120_000]) {
    const verdict = judge(EVIDENCE, { nowMs });
    assert.equal(verdict.level, "unknown");
    assert.equal(verdict.differences[0]?.what, "age of the evidence");
  }
});

test("a replayed quote, a quote for another channel and one from another TPM are refused", () => {
  const qualifying = /^quote's qualifying data/u;
  assertRefused(judge(EVIDENCE, { challenge: { ...CHALLENGE, nonce: Buffer.alloc(32, 8) } }), qualifying);
  const relayed = { ...CHALLENGE, tlsPublicKey: Buffer.from("the key of a machine in between") };
  assertRefused(judge(EVIDENCE, { challenge: relayed }), /^TLS key/u, qualifying);
  assertRefused(judge({ ...EVIDENCE, tlsPublicKey: relayed.tlsPublicKey }, { challenge: relayed }), qualifying);

  otherNode.boot(LOGS);
  const other = otherNode.evidence(RELEASE, CHALLENGE);
  const quote = { quoteMessage: other.quoteMessage, quoteSignature: other.quoteSignature };
  assertRefused(judge({ ...EVIDENCE, ...quote }), /^quote's signature/u);
  assertRefused(judge(other), /^EK certificate.*no trusted issuer/u, /^TPM/u, /^attestation key's name/u);
});

test("an EK certificate of another authority is refused", () => {
  assertRefused(
    judge(EVIDENCE, { ekRoots: parseEkRoots(otherAuthority.roots) }),
    /^EK certificate.*no trusted issuer/u,
  );
});

test("an expired maker is accepted when the operator says so, and the verdict names it", () => {
  const to = "20240101000000Z";
  const issuer = testCertificate({ commonName: "Old Root", extensions: authorityExtensions(), to });
  const evidence = { ...EVIDENCE, ekCertificate: testCertificate({ issuer, extensions: ekExtensions() }).der };
  const pin = { ...node.pin, ekSha256: ekSha256Of(parsePublic(evidence.ak), evidence) };
  assertRefused(judge(evidence, { pin, ekRoots: parseEkRoots(issuer.pem) }), /^EK certificate.*expired certificate/u);
  const verdict = judge(evidence, { pin, ekRoots: parseEkRoots(issuer.pem, { acceptExpired: true }) });
  assert.equal(verdict.level, "proven");
  const note = "accepted although it has expired: the maker's certificate CN=Old Root, 2024-01-01";
  assert.ok(verdict.notes.includes(note), verdict.notes.join());
});

test("a TPM without a certificate is reported at best, whoever is trusted", () => {
  const { ekCertificate: _none, ...evidence } = { ...EVIDENCE, ekPublic: node.keys.ekPublic };
  const pin = { ...node.pin, ekSha256: ekSha256Of(parsePublic(evidence.ak), evidence) };
  const verdict = judge(evidence, { pin });
  assert.deepEqual([verdict.level, verdict.differences[0]?.code], ["reported", "ek-chain"]);
  assertRefused(judge(evidence), /^TPM/u);
  assertRefused(judge({ ...evidence, ekPublic: otherNode.keys.ekPublic }, { pin }), /^TPM/u);
});

test("a key that would sign anything is no attestation key, even if it was pinned", () => {
  const attributes = "sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth";
  node.tool("tpm2_createprimary", "-C", "e", "-G", "ecc:ecdsa-sha256", "-c", "loose.context", "-a", attributes);
  node.tool("tpm2_evictcontrol", "-C", "o", "-c", "loose.context", "0x8100a511");
  node.tool("tpm2_readpublic", "-c", "0x8100a511", "-f", "tss", "-o", "loose.pub");
  const ak = node.read("loose.pub");
  const evidence = node.evidence(RELEASE, CHALLENGE, { key: "0x8100a511", ak });
  assertRefused(
    judge(evidence, { pin: { ...node.pin, akName: nameOfKey(parsePublic(ak)) } }),
    /^attestation key's attributes: .*restricted.* \/ fixedTPM/u,
  );
});

test("an RSA attestation key proves where a TPM has no ECC; another scheme or size does not", () => {
  const [first, other] = [
    ["0x8100a512", "rsa2048", "rsassa"],
    ["0x8100a514", "ecc384", "ecdsa"],
  ] as const;
  const judgeWith = ([handle, algorithm, scheme]: readonly [string, string, string]): NodeVerdict => {
    const kind = ["-G", algorithm, "-g", "sha256", "-s", scheme];
    node.tool("tpm2_createak", "-C", "0x81010001", "-c", "kind.context", ...kind, "-f", "tss", "-u", "kind.pub");
    node.tool("tpm2_evictcontrol", "-C", "o", "-c", "kind.context", handle);
    const ak = node.read("kind.pub");
    const evidence = node.evidence(RELEASE, CHALLENGE, { key: handle, ak });
    return judge(evidence, { pin: { ...node.pin, akName: nameOfKey(parsePublic(ak)) } });
  };
  assert.equal(judgeWith(first).level, "proven");
  assertRefused(judgeWith(other), /^attestation key's scheme: ECDSA .* or RSASSA .* \/ /u);
});

test("a quote that leaves a PCR out, or covers only the SHA-1 bank, is refused", () => {
  const without12 = node.evidence(RELEASE, CHALLENGE, { pcrs: "sha256:0,1,2,3,4,5,6,7,8,9,10,11,13,14,15" });
  assertRefused(judge(without12), /^PCRs in the quote: .*11,12,13.*\/ .*11,13/u);
  otherNode.boot(LOGS);
  const sha1 = otherNode.evidence(RELEASE, CHALLENGE, { pcrs: "sha1:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15" });
  const change = { pin: otherNode.pin, ekRoots: parseEkRoots(otherAuthority.roots) };
  assertRefused(judge(sha1, change), /^PCRs in the quote: sha256.*\/ sha1/u);
});

test("claimed PCR values that the TPM did not sign are refused", () => {
  const pcrs = new Map(EVIDENCE.pcrs.sha256).set(12, "11".repeat(32));
  assertRefused(judge({ ...EVIDENCE, pcrs: { sha256: pcrs } }), /^PCR values/u);
  pcrs.delete(12);
  assertRefused(judge({ ...EVIDENCE, pcrs: { sha256: pcrs } }), /^PCR values/u);
});

test("edited, reordered and shortened logs do not lead to the quoted PCRs", () => {
  const replay = (pcr: number): RegExp => new RegExp(`^PCR ${pcr}, replay of the event logs`, "u");
  const reordered = LOGS.words.with(1, LOGS.words[2]!).with(2, LOGS.words[1]!);
  assertRefused(judge({ ...EVIDENCE, userspaceLog: userspaceLogBytes(reordered) }), replay(13));
  assertRefused(judge({ ...EVIDENCE, userspaceLog: Buffer.alloc(0) }), replay(11), replay(13), replay(15));
  const edited = LOGS.firmware.map((each) => (each.digest === RELEASE.uki.authenticode ? event(4, sha256("x")) : each));
  assertRefused(judge({ ...EVIDENCE, firmwareLog: firmwareLogBytes(edited) }), replay(4));
});

test("a reboot since enrolment is fine; a reset count below enrolment's is an old copy of the TPM", () => {
  const { tpm } = verifyEvidence(EVIDENCE, INPUT);
  const resetCount = tpm?.resetCount ?? 0;
  assert.equal(judge(EVIDENCE, { pin: { ...INPUT.pin, resetCount: resetCount - 1 } }).level, "proven");
  assertRefused(judge(EVIDENCE, { pin: { ...INPUT.pin, resetCount: resetCount + 1 } }), /^TPM's reset count/u);
  // A key in the storage hierarchy has counts that a number is added to, modulo 2^32: just past that is later, just before earlier.
  const wrapped = (resetCount - 2 + 2 ** 32) % 2 ** 32;
  assert.equal(judge(EVIDENCE, { pin: { ...INPUT.pin, resetCount: wrapped } }).level, "proven");
  const beforeHalf = (resetCount + 2 ** 31) % 2 ** 32;
  assertRefused(judge(EVIDENCE, { pin: { ...INPUT.pin, resetCount: beforeHalf } }), /^TPM's reset count/u);
  node.boot(LOGS);
  const rebooted = verifyEvidence(node.evidence(RELEASE, CHALLENGE), { ...INPUT, pin: { ...INPUT.pin, resetCount } });
  assert.equal(rebooted.verdict.level, "proven");
  assert.ok((rebooted.tpm?.resetCount ?? 0) > resetCount);
});

test("PCRs 8, 12 and 14 must be zero", () => {
  for (const pcr of [8, 12, 14]) {
    const verdict = judgeBoot({ ...LOGS, firmware: [...LOGS.firmware, event(pcr, sha256("a credential"))] });
    assertRefused(verdict, new RegExp(`^PCR ${pcr}: zeros.*1 event`, "u"));
  }
});

test("PCRs 1, 5, 6 and 9 need only replay; PCR 10 need not even that", () => {
  for (const pcr of [1, 5, 6, 9]) {
    const firmware = [...LOGS.firmware, event(pcr, sha256("a setting"))];
    assert.equal(judgeBoot({ ...LOGS, firmware }).level, "proven", `PCR ${pcr}`);
    const evidence = { ...node.evidence(RELEASE, CHALLENGE), firmwareLog: firmwareLogBytes(LOGS.firmware) };
    assertRefused(judge(evidence), new RegExp(`^PCR ${pcr}, replay of the event logs`, "u"));
  }
  node.boot({ ...LOGS, firmware: [...LOGS.firmware, event(10, sha256("what IMA has seen"))] });
  const evidence = { ...node.evidence(RELEASE, CHALLENGE), firmwareLog: firmwareLogBytes(LOGS.firmware) };
  assert.equal(judge(evidence).level, "proven");
});

test("boot phases: one missing, one too many, wrong order", () => {
  const missing = judgeBoot(withWords(LOGS.words.filter(({ word }) => word !== "sysinit")));
  assertRefused(missing, /^PCR 11, boot phase sysinit: "sysinit" \/ nothing$/u);
  assertRefused(
    judgeBoot(withWords([...LOGS.words, { pcr: 11, word: "shutdown" }])),
    /^PCR 11, unexpected word: nothing \/ "shutdown"$/u,
  );
  assertRefused(
    judgeBoot(withWords([...LOGS.words, { pcr: 11, word: "ready" }])),
    /^PCR 11, unexpected word: nothing \/ "ready"$/u,
  );
  const swapped = LOGS.words.with(6, LOGS.words[7]!).with(7, LOGS.words[6]!);
  assertRefused(judgeBoot(withWords(swapped)), /^PCR 11, order of each word: .*sysinit, .*ready \/ .*ready, sysinit$/u);
});

test("another class config is another identity; another node config is a mismatch of this node", () => {
  const other = sha256("another config");
  const otherClass = judgeBoot(testLogs(RELEASE, other, nodeConfigSha256));
  assert.equal(otherClass.level, "mismatch");
  assert.equal(otherClass.identity, nodeIdentity(RELEASE, other));
  assert.deepEqual(otherClass.differences, [
    {
      code: "class-config",
      subject: "class",
      what: "PCR 13, class config",
      expected: `sha256 ${classConfigSha256}`,
      found: `sha256 ${other}`,
    },
  ]);
  const otherNodeConfig = judgeBoot(testLogs(RELEASE, classConfigSha256, other));
  assert.equal(otherNodeConfig.nodeConfig, other);
  assert.deepEqual(
    otherNodeConfig.differences.map(({ what }) => what),
    ["PCR 13, node config"],
  );
});

test("PCR 13 holds the two words and nothing else", () => {
  const extra = [...LOGS.words, { pcr: 13, word: "sysext:rogue" }];
  assertRefused(judgeBoot(withWords(extra)), /^PCR 13, unexpected word: nothing \/ "sysext:rogue"$/u);
  const twice = [...LOGS.words, { pcr: 13, word: configWord("class", classConfigSha256) }];
  assertRefused(judgeBoot(withWords(twice)), /^PCR 13, unexpected word: nothing \/ sha256/u);
  const swapped = LOGS.words.with(1, LOGS.words[2]!).with(2, LOGS.words[1]!);
  assertRefused(
    judgeBoot(withWords(swapped)),
    /^PCR 13, order of each word: class config, node config \/ node config, class config$/u,
  );
  const byFirmware = { ...LOGS, firmware: [...LOGS.firmware, event(13, sha256("an initrd extension"))] };
  assertRefused(
    judgeBoot(byFirmware),
    /^PCR 13, unexpected word: nothing \/ an event in the firmware's log with digest/u,
  );
});

test("what the log says about a declared word does not matter, its digest does: the node keeps its identity", () => {
  const honest = Buffer.from(EVIDENCE.userspaceLog).toString("utf8");
  for (const text of [
    `ashlar-config-class:sha256:${classConfigSha256}`,
    `ashlar-config-node:sha256:${nodeConfigSha256}`,
  ]) {
    for (const other of [
      text.replace("config", "klass"),
      "",
      "sysext:rogue",
      text.replace(/.{64}$/u, "0".repeat(64)),
    ]) {
      const userspaceLog = Buffer.from(honest.replace(JSON.stringify(text), JSON.stringify(other)));
      assert.deepEqual(judge({ ...EVIDENCE, userspaceLog }), judge(EVIDENCE), other);
    }
  }
});

test("a word of PCR 13 in the firmware's log is none, although it replays", () => {
  const [classWord, nodeWord] = LOGS.words.filter(({ pcr }) => pcr === 13);
  for (const moved of [[classWord], [classWord, nodeWord]]) {
    const words = LOGS.words.filter((word) => !moved.includes(word));
    const firmware = [...LOGS.firmware, ...moved.map((each) => event(13, sha256(each?.word ?? "")))];
    const logs = { firmwareLog: firmwareLogBytes(firmware), userspaceLog: userspaceLogBytes(words) };
    const patterns = moved.map(
      () => /^PCR 13, (?:class|node) config: .* \/ an event in the firmware's log with digest/u,
    );
    assertRefused(judge({ ...EVIDENCE, ...logs }), ...patterns);
  }
});

test("PCR 15 holds only words that say which machine this is", () => {
  for (const word of ["cryptsetup:root", "machine-id:0123456789abcdef0123456789abcdef", "file-system:/home:ext4:"]) {
    assertRefused(judgeBoot(withWords([...LOGS.words, { pcr: 15, word }])), /^PCR 15, unexpected word/u);
  }
});

test("a driver loaded from the ESP: refused, no identity, and nothing to pin", () => {
  node.boot({ ...LOGS, firmware: [...LOGS.firmware, event(2, sha256("driver"))] });
  const evidence = node.evidence(RELEASE, CHALLENGE);
  // Also when the driver was there at enrolment.
  for (const pin of [INPUT.pin, node.pin]) {
    const { verdict, tpm, pinnable } = verifyEvidence(evidence, { ...INPUT, pin });
    assertRefused(verdict, new RegExp(`^PCR 2, a program was loaded .* / Authenticode ${sha256("driver")} `, "u"));
    assert.deepEqual([tpm?.akName, pinnable], [INPUT.pin.akName, false]);
  }
  assert.equal(verifyEvidence(EVIDENCE, INPUT).pinnable, true);
  // Some machines do so: an operator who knows this one has accepted exactly this driver.
  const accepted = firmwareToPin(evidence, [sha256("driver")]);
  const { verdict, pinnable } = verifyEvidence(evidence, { ...INPUT, pin: { ...INPUT.pin, firmware: accepted } });
  assert.deepEqual([verdict.level, pinnable], ["proven", true]);
  assert.deepEqual(verdict.notes, [`accepted after the firmware handed over: ${sha256("driver")}`]);
});

test("a program of the firmware's own before the boot loader: remembered at enrolment; another one is named", () => {
  const start = LOGS.firmware.findIndex(({ pcr }) => pcr === 4);
  const started = (name: string): TestLogs => ({
    ...LOGS,
    firmware: LOGS.firmware.toSpliced(start, 0, event(4, sha256(name))),
  });
  node.boot(started("services"));
  const evidence = node.evidence(RELEASE, CHALLENGE);
  const pin = { ...INPUT.pin, firmware: firmwareToPin(evidence) };
  const verdict = judge(evidence, { pin });
  assert.equal(verdict.level, "proven");
  assert.match(
    verdict.notes.join(),
    new RegExp(`the firmware starts a program of its own, .*${sha256("services")}`, "u"),
  );
  node.boot(started("SysPrep"));
  assertRefused(
    judge(node.evidence(RELEASE, CHALLENGE), { pin }),
    new RegExp(`^PCR 4, the firmware started a program that it did not .* / Authenticode ${sha256("SysPrep")}`, "u"),
  );
});

test("firmware that has changed since enrolment: refused until it is enrolled again", () => {
  const first = LOGS.firmware.findIndex(({ pcr }) => pcr === 2);
  // A driver that firmware itself loads, named by a Driver#### variable or by a card: before the separator.
  node.boot({ ...LOGS, firmware: LOGS.firmware.toSpliced(first, 0, event(2, sha256("driver"))) });
  const evidence = node.evidence(RELEASE, CHALLENGE);
  assertRefused(judge(evidence), /^PCR 2, firmware changed since enrolment: .*--enrol-again\)$/u);
  assert.equal(judge(evidence, { pin: node.pin }).level, "proven");
});

test("another program in the chain of PCR 4 is a mismatch", () => {
  const evil = sha256("evil");
  const first = LOGS.firmware.findIndex(({ digest }) => digest === RELEASE.bootLoader.authenticode);
  const inserted = { ...LOGS, firmware: LOGS.firmware.toSpliced(first, 0, event(4, evil)) };
  assertRefused(judgeBoot(inserted), new RegExp(`^PCR 4, unexpected program: nothing / Authenticode ${evil}`, "u"));
  const replaced = { ...LOGS, firmware: LOGS.firmware.with(first, event(4, evil)) };
  assertRefused(judgeBoot(replaced), new RegExp(`^PCR 4, systemd-boot: .* / Authenticode ${evil}`, "u"));
  const separator = LOGS.firmware.filter(({ pcr, digest }) => pcr !== 4 || digest !== sha256(Buffer.alloc(4)));
  assertRefused(judgeBoot({ ...LOGS, firmware: separator }), /^PCR 4, separators before the boot loader: 1 \/ 0/u);
});

test("firmware may have tried other boot options in vain", () => {
  const first = LOGS.firmware.findIndex(({ digest }) => digest === RELEASE.bootLoader.authenticode);
  const steps = ["Returning from EFI Application from Boot Option", "Calling EFI Application from Boot Option"];
  const firmware = LOGS.firmware.toSpliced(first, 0, ...steps.map((step) => event(4, sha256(step))));
  assert.equal(judgeBoot({ ...LOGS, firmware }).level, "proven");
});

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

test("arbitrary bytes in any field of the evidence give a verdict that is not proven", () => {
  const fields = [
    "quoteMessage",
    "quoteSignature",
    "ak",
    "ekCertificate",
    "tlsPublicKey",
    "firmwareLog",
    "userspaceLog",
  ] as const;
  const flip = fc.record({ offset: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) });
  const change = fc.oneof(fc.uint8Array({ maxLength: 300 }), flip);
  const honest = judge(EVIDENCE);
  fc.assert(
    fc.property(fc.constantFrom(...fields), change, (field, how) => {
      const bytes = "offset" in how ? Buffer.from(EVIDENCE[field]) : Buffer.from(how);
      if ("offset" in how) bytes[how.offset % bytes.length]! ^= how.mask;
      if (bytes.equals(EVIDENCE[field])) return;
      const verdict = judge({ ...EVIDENCE, [field]: bytes });
      // Types and texts of events, which no digest covers, may say anything: the verdict is the same.
      if (field.endsWith("Log") && verdict.level === "proven") assert.deepEqual(verdict, honest);
      else assert.deepEqual([verdict.level, verdict.identity], ["mismatch", null], field);
    }),
    { numRuns: 1000 },
  );
});
