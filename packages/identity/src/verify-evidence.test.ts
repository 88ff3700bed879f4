import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePublic, sha256 } from "@ashlar/formats";
import { authorityExtensions, ekExtensions, testCertificate } from "@ashlar/formats/test-certificates";
import { firmwareLogBytes, userspaceLogBytes } from "@ashlar/protocol/test-fixtures";
import { ekSha256Of, nameOfKey } from "./check/check-keys.ts";
import { parseEkRoots } from "./check/ek-chain.ts";
import {
  assertRefused,
  CHALLENGE,
  event,
  EVIDENCE,
  EXPECTATIONS,
  IDENTITY,
  INPUT,
  judge,
  LOGS,
  node,
  NOW,
  otherAuthority,
  otherNode,
  RELEASE,
} from "./test-judged-node.ts";
import type { NodeVerdict } from "./verdict.ts";
import { verifyEvidence } from "./verify-evidence.ts";

const { classConfigSha256, nodeConfigSha256 } = EXPECTATIONS;

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
