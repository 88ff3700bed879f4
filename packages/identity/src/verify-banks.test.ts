/** Machines whose TPMs have other PCR banks on than SHA-256 alone: real TPMs, with logs as such machines have them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256, sha384 } from "@ashlar/formats";
import { configWord } from "@ashlar/protocol";
import { testLogs, testRelease, type TestLogs } from "@ashlar/protocol/test-fixtures";
import { expectationsOf } from "./expected/expectations.ts";
import { nodeIdentity } from "./expected/node-identity.ts";
import { firmwareDigests, firmwareToPin } from "./firmware-to-pin.ts";
import { TestAuthority, TestNode } from "./test-node.ts";
import { CHALLENGE, verificationInput } from "./test-verification-input.ts";
import type { NodeVerdict } from "./verdict.ts";
import { verifyEvidence, type VerificationInput } from "./verify-evidence.ts";

const authority = new TestAuthority();
const one = new TestNode(authority);
const other = new TestNode(authority, "sha384");
const both = new TestNode(authority, "sha256,sha384");
/** Two banks are on, and the firmware measures into one of them. */
const forgotten = new TestNode(authority, "sha256,sha384", ["sha256"]);
const forged = new TestNode(authority, "sha256,sha384", ["sha384"]);

const RELEASE = testRelease("1.0.0");
const { sha384: _, ...WITHOUT } = RELEASE;
const [classConfig, nodeConfig] = [Buffer.from("{}"), Buffer.from("[]")];
const EXPECTATIONS = expectationsOf({ release: RELEASE, classConfig, nodeConfig });
const { classConfigSha256, nodeConfigSha256 } = EXPECTATIONS;
const IDENTITY = nodeIdentity(RELEASE, classConfigSha256);
const LOGS = testLogs(RELEASE, classConfigSha256, nodeConfigSha256);
const SIXTEEN = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15";

function inputOf(node: TestNode): VerificationInput {
  return verificationInput(node, EXPECTATIONS, authority);
}

for (const node of [one, other, both]) node.boot(LOGS);
const [ONE, OTHER, BOTH] = [one, other, both].map(inputOf) as [VerificationInput, VerificationInput, VerificationInput];

function judge(node: TestNode, input: VerificationInput, pcrs?: string): NodeVerdict {
  return verifyEvidence(node.evidence(RELEASE, CHALLENGE, pcrs === undefined ? {} : { pcrs }), input).verdict;
}

function judgeBoot(node: TestNode, logs: TestLogs, input: VerificationInput): NodeVerdict {
  node.boot(logs);
  const verdict = judge(node, input);
  node.boot(LOGS);
  return verdict;
}

/** `what: expected / found` of each difference of a node that is not what was declared. */
function refusals({ level, identity, differences }: NodeVerdict): string {
  const text = differences.map(({ what, expected, found }) => `${what}: ${expected} / ${found}`).join("\n");
  assert.equal(level, "mismatch", text);
  assert.equal(identity, null);
  return text;
}

/** The logs with another SHA-384 digest of one event. */
function disagreeing(wanted: (event: TestLogs["firmware"][number]) => boolean): TestLogs {
  const index = LOGS.firmware.findIndex(wanted);
  const event = LOGS.firmware[index];
  assert.ok(event !== undefined);
  return { ...LOGS, firmware: LOGS.firmware.with(index, { ...event, sha384: sha384("another thing") }) };
}

test("whichever banks are on, a node that runs what was declared is proven, and has one identity", () => {
  for (const [node, input] of [[one, ONE] as const, [other, OTHER] as const, [both, BOTH] as const]) {
    const verdict = judge(node, input);
    assert.deepEqual(verdict.differences, []);
    assert.equal(verdict.level, "proven");
    assert.equal(verdict.identity, IDENTITY);
    assert.deepEqual([verdict.config, verdict.nodeConfig], [classConfigSha256, nodeConfigSha256]);
  }
});

test("an older agent quotes SHA-256 where both are on: proven with what was pinned so, not after both were pinned", () => {
  const evidence = both.evidence(RELEASE, CHALLENGE, { pcrs: `sha256:${SIXTEEN}` });
  const old = { ...evidence, pcrs: { sha256: evidence.pcrs.sha256 ?? new Map<number, string>() } };
  const firmware = firmwareToPin(old);
  assert.equal(verifyEvidence(old, { ...BOTH, pin: { ...BOTH.pin, firmware } }).verdict.level, "proven");
  assert.equal(judge(both, { ...BOTH, pin: { ...BOTH.pin, firmware } }).level, "proven", "more than was pinned");
  const less = refusals(verifyEvidence(old, BOTH).verdict);
  assert.match(less, /^PCR banks in the quote: sha384, as at enrolment \/ only sha256 \(.*--enrol-again\)$/u);
});

test("what is pinned is of the banks that are on, and is compared in each", () => {
  assert.equal(OTHER.pin.firmware["0"].length, 96);
  assert.equal(OTHER.pin.firmware.sha384, undefined);
  const { firmware } = BOTH.pin;
  assert.deepEqual([firmware["0"].length, firmware.sha384?.["0"].length], [64, 96]);
  assert.equal(ONE.pin.firmware.sha384, undefined);
  const changed = { ...firmware, sha384: { ...OTHER.pin.firmware, "7": "0".repeat(96) } };
  const found = refusals(judge(both, { ...BOTH, pin: { ...BOTH.pin, firmware: changed } }));
  assert.match(found, /^PCR 7, firmware changed since enrolment: .*0{96} \/ [0-9a-f]{96} \(/u);
  const sha256Only = refusals(judge(other, { ...OTHER, pin: { ...OTHER.pin, firmware: ONE.pin.firmware } }));
  assert.match(sha256Only, /^PCR banks in the quote: sha256, as at enrolment \/ only sha384 /mu);
});

test("known firmware counts in the banks that it was learnt in", () => {
  const changed = {
    ...LOGS,
    firmware: LOGS.firmware.with(0, { ...LOGS.firmware[0]!, digest: sha256("new"), sha384: sha384("new") }),
  };
  for (const [node, input] of [[other, OTHER] as const, [both, BOTH] as const]) {
    assert.match(refusals(judgeBoot(node, changed, input)), /^PCR 0, firmware changed/u);
    node.boot(changed);
    const known = [{ name: "Server 1, 2.0", firmware: firmwareToPin(node.evidence(RELEASE, CHALLENGE)) }];
    assert.equal(judge(node, { ...input, knownFirmware: known }).level, "proven");
    const elsewhere = [{ name: "of another bank", firmware: ONE.pin.firmware }];
    assert.match(refusals(judge(node, { ...input, knownFirmware: elsewhere })), /^PCR 0, firmware changed/u);
    node.boot(LOGS);
  }
});

test("a record whose SHA-384 digest is another thing's is a mismatch, although its SHA-256 one is right", () => {
  const { uki, bootLoader } = RELEASE;
  const cases: readonly (readonly [RegExp, (event: TestLogs["firmware"][number]) => boolean])[] = [
    [/^PCR 4, systemd-boot: .*SHA-384/mu, ({ digest }) => digest === bootLoader.authenticode],
    [/^PCR 4, unified kernel image: .*SHA-384/mu, ({ digest }) => digest === uki.authenticode],
    [/^PCR 4, kernel in the unified kernel image: .*SHA-384/mu, ({ digest }) => digest === uki.linuxAuthenticode],
    [/^PCR 11, UKI section \.osrel: .*sha384/mu, ({ digest }) => digest === uki.sections[1]?.sha256],
    [/^PCR 11, /mu, ({ digest }) => digest === sha256(".cmdline\0")],
    [
      /^PCR 2, separators where the firmware hands over: 1 \/ 0/mu,
      ({ pcr, digest }) => pcr === 2 && digest === sha256(Buffer.alloc(4)),
    ],
    [/^PCR 4, /mu, ({ digest }) => digest === sha256("Calling EFI Application from Boot Option")],
  ];
  for (const [pattern, wanted] of cases) assert.match(refusals(judgeBoot(both, disagreeing(wanted), BOTH)), pattern);
});

test("words are measured into both banks: one that is another word in SHA-384 is none", () => {
  const evidence = both.evidence(RELEASE, CHALLENGE);
  const words = ["enter-initrd", configWord("class", classConfigSha256), `machine-id:${both.machineId}`];
  for (const word of words) {
    // What such a log leads to cannot be quoted twice: extended as the log will say.
    const pcr = word === "enter-initrd" ? 11 : word.startsWith("machine-id") ? 15 : 13;
    const before = { ...LOGS, words: [] };
    both.boot(before);
    const own = LOGS.words.map((each) => ({
      ...each,
      word: each.word.replace(/^machine-id:.*$/u, `machine-id:${both.machineId}`),
    }));
    both.extend(
      own.map(
        (each) =>
          `${each.pcr}:sha256=${sha256(each.word)},sha384=${sha384(each.word === word ? "another" : each.word)}`,
      ),
    );
    const log = Buffer.from(evidence.userspaceLog).toString("utf8").replace(sha384(word), sha384("another"));
    const edited = { ...both.evidence(RELEASE, CHALLENGE), userspaceLog: Buffer.from(log) };
    assert.match(refusals(verifyEvidence(edited, BOTH).verdict), new RegExp(`^PCR ${pcr}, `, "u"), word);
  }
  both.boot(LOGS);
});

test("a bank that is on and into which the firmware does not measure proves nothing, alone or beside the other", () => {
  forgotten.boot(LOGS);
  const text = refusals(judge(forgotten, inputOf(forgotten)));
  assert.match(
    text,
    /^PCR bank sha384: .* \/ a bank that is switched on, and no event of the firmware in it \(switch it off/u,
  );
  assert.equal(verifyEvidence(forgotten.evidence(RELEASE, CHALLENGE), inputOf(forgotten)).pinnable, false);
});

test("who leaves the measured bank out and fills the other one is found by what the TPM signs", () => {
  // The machine booted something else; then all that a right boot measures went into the bank that was still empty.
  forged.boot(LOGS);
  const evidence = forged.evidence(RELEASE, CHALLENGE, { pcrs: `sha384:${SIXTEEN}` });
  const { sha384: values } = evidence.pcrs;
  assert.ok(values !== undefined);
  const input = {
    ...inputOf(forged),
    pin: { ...forged.pin, firmware: firmwareToPin({ ...evidence, pcrs: { sha384: values } }) },
  };
  const alone = verifyEvidence({ ...evidence, pcrs: { sha384: values } }, input);
  assert.match(refusals(alone.verdict), /^PCRs in the quote: .* \/ sha384:0,1/u);
  const empty = forged.evidence(RELEASE, CHALLENGE, { pcrs: `sha256:16+sha384:${SIXTEEN}` });
  assert.match(
    refusals(verifyEvidence({ ...empty, pcrs: { sha384: values } }, input).verdict),
    /^PCRs in the quote: .* \/ sha256:16\+sha384:0,1/u,
  );
  // Where SHA-256 is really off, the same evidence with the whole selection holds.
  assert.equal(judge(other, OTHER).level, "proven");
  assert.match(refusals(judge(other, OTHER, `sha384:${SIXTEEN}`)), /^PCRs in the quote: /u);
});

test("values that are claimed for a bank which is not quoted are refused", () => {
  const evidence = one.evidence(RELEASE, CHALLENGE);
  const claimed = { ...evidence, pcrs: { ...evidence.pcrs, sha384: new Map([[0, "0".repeat(96)]]) } };
  assert.match(refusals(verifyEvidence(claimed, ONE).verdict), /^PCR values .*: none of bank sha384 \/ some$/u);
  const only = other.evidence(RELEASE, CHALLENGE);
  const more = { ...only, pcrs: { ...only.pcrs, sha256: evidence.pcrs.sha256 ?? new Map<number, string>() } };
  assert.match(refusals(verifyEvidence(more, OTHER).verdict), /^PCR values .*: none of bank sha256 \/ some$/u);
  assert.match(refusals(verifyEvidence({ ...only, pcrs: {} }, OTHER).verdict), /^PCR values/u);
});

test("a release without SHA-384 digests: proven by SHA-256 alone, and beside SHA-384; without SHA-256 it is said what to do", () => {
  const expectations = expectationsOf({ release: WITHOUT, classConfig, nodeConfig });
  assert.equal(judge(one, { ...ONE, expectations }).level, "proven");
  const beside = judge(both, { ...BOTH, expectations });
  assert.equal(beside.level, "proven");
  assert.deepEqual(beside.notes, ["release 1.0.0 has no SHA-384 digests: its programs were judged by SHA-256 alone"]);
  const text = refusals(judge(other, { ...OTHER, expectations }));
  assert.match(text, /^release: digests for the TPM's SHA-384 bank.* release 1\.0\.0 \/ .*build the release again/mu);
});

test("another release's manifest cannot make its program this release's", () => {
  const evil = sha384("evil UKI");
  const poison = { ...testRelease("0.9.0"), sha384: { ...RELEASE.sha384!, uki: evil } };
  const candidate = { ...poison, uki: { ...poison.uki, authenticode: RELEASE.uki.authenticode } };
  const index = LOGS.firmware.findIndex(({ digest }) => digest === RELEASE.uki.authenticode);
  const logs = { ...LOGS, firmware: LOGS.firmware.with(index, { ...LOGS.firmware[index]!, sha384: evil }) };
  const { level, release, differences } = judgeBoot(other, logs, { ...OTHER, candidates: [candidate] });
  assert.deepEqual([level, release], ["mismatch", "0.9.0"]);
  const text = differences.map(({ what, found }) => `${what}: ${found}`).join("\n");
  assert.match(text, new RegExp(`^PCR 4, unified kernel image: .*SHA-384 ${evil}`, "mu"));
});

test("without SHA-256, what is wrong is named as with it; a driver is accepted by the digest that is shown", () => {
  const late = {
    pcr: 2,
    type: 0x8000_0004,
    digest: sha256("driver"),
    sha384: sha384("driver"),
    data: Buffer.from("a path"),
  };
  const logs = { ...LOGS, firmware: [...LOGS.firmware, late] };
  assert.match(
    refusals(judgeBoot(other, logs, OTHER)),
    new RegExp(`^PCR 2, a program was loaded after .* / Authenticode SHA-384 ${sha384("driver")} \\(`, "u"),
  );
  other.boot(logs);
  const evidence = other.evidence(RELEASE, CHALLENGE);
  assert.ok(firmwareDigests(evidence).has(sha384("driver")));
  const firmware = firmwareToPin(evidence, [sha384("driver")]);
  assert.equal(verifyEvidence(evidence, { ...OTHER, pin: { ...OTHER.pin, firmware } }).verdict.level, "proven");
  other.boot(LOGS);
  assert.equal(judge(other, { ...OTHER, pin: { ...OTHER.pin, firmware } }).level, "proven", "its value is without it");
  const words = LOGS.words.filter(({ word }) => word !== "sysinit");
  assert.match(
    refusals(judgeBoot(other, { ...LOGS, words }, OTHER)),
    /^PCR 11, boot phase sysinit: "sysinit" \/ nothing$/u,
  );
  for (const pcr of [8, 12, 14]) {
    const firmwareEvents = [...LOGS.firmware, { ...late, pcr }];
    assert.match(
      refusals(judgeBoot(other, { ...LOGS, firmware: firmwareEvents }, OTHER)),
      new RegExp(`^PCR ${pcr}: zeros`, "u"),
    );
  }
});
