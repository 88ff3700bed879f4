import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { keyObjectOf, parsePublic, type TpmPublic } from "@ashlar/formats";
import {
  akExtensions,
  authorityExtensions,
  ekExtensions,
  testCertificate,
  testExtension,
  type CertificateShape,
  type TestCertificate,
} from "@ashlar/formats/test-certificates";
import fc from "fast-check";
import { checkAttestationKey } from "./check-keys.ts";
import type { Difference } from "./difference.ts";
import { parseEkRoots } from "./ek-chain.ts";
import { enrolCertifiedKey, prepareEnrolment } from "./enrolment.ts";
import { checkVouching, type Endorsement, type TpmTrust, type Vouching } from "./vouching.ts";

const VECTORS = new URL("../../../../test/vectors/tpm/quotes/", import.meta.url);
const read = (name: string): Buffer => readFileSync(new URL(name, VECTORS));
const NOW = new Date("2026-12-01T00:00:00Z");
const AIK_CERTIFICATE = "2.23.133.8.3";

const authority = (commonName: string, issuer?: TestCertificate): TestCertificate =>
  testCertificate({ commonName, extensions: authorityExtensions(), ...(issuer === undefined ? {} : { issuer }) });
const root = authority("Cloud Root");
const issuing = authority("Cloud CA 3", root);
const maker = authority("Maker Root");
const CLOUD: TpmTrust = { ekRoots: undefined, cloudRoots: parseEkRoots(root.pem + issuing.pem) };
const BOTH: TpmTrust = { ...CLOUD, ekRoots: parseEkRoots(maker.pem) };

const AK = read("ak_rsa.pub");
const ak = parsePublic(AK);
const akCertificateOf = (key: TpmPublic, shape: CertificateShape = {}): Buffer =>
  testCertificate({
    commonName: "vm.example",
    publicKey: keyObjectOf(key),
    issuer: issuing,
    extensions: akExtensions(AIK_CERTIFICATE),
    ...shape,
  }).der;

function vouch(shown: Endorsement, trust: TpmTrust = CLOUD, key: TpmPublic = ak): Vouching & { problem?: string } {
  const differences: Difference[] = [];
  const vouching = checkVouching(key, shown, trust, NOW, [], differences);
  const [first] = differences;
  return first === undefined ? vouching : { ...vouching, problem: `${first.code}: ${first.found}` };
}

test("a cloud's certificate vouches for the attestation key, in words that name the cloud", () => {
  const ecc = parsePublic(read("ak_ecc.pub"));
  for (const key of [ak, ecc]) {
    // Azure's shape, then Google's.
    for (const extensions of [akExtensions(AIK_CERTIFICATE), akExtensions()]) {
      assert.deepEqual(vouch({ akCertificate: akCertificateOf(key, { extensions }) }, CLOUD, key), {
        notes: ["attestation key certified by CN=Cloud CA 3, under CN=Cloud Root"],
      });
    }
  }
});

test("any other certificate is refused, and says why", () => {
  const refused = (akCertificate: Uint8Array, message: RegExp): void => {
    const { problem, notes } = vouch({ akCertificate });
    assert.match(problem ?? "", message);
    assert.deepEqual(notes, []);
  };
  const of = (shape: CertificateShape): Buffer => akCertificateOf(ak, shape);
  refused(akCertificateOf(parsePublic(read("ak_ecc.pub"))), /^ak-chain: another key's certificate$/u);
  refused(of({ issuer: authority("Cloud CA 3") }), /no trusted issuer named CN=Cloud CA 3/u);
  refused(of({ issuer: maker }), /no trusted issuer named CN=Maker Root/u);
  refused(of({ extensions: akExtensions("1.3.6.1.5.5.7.3.1") }), /for other uses \(1\.3\.6\.1\.5\.5\.7\.3\.1\)/u);
  refused(of({ extensions: akExtensions(undefined, 0x20) }), /whose key is not for digitalSignature/u);
  refused(of({ extensions: [] }), /does not say what its key is for/u);
  refused(of({ extensions: authorityExtensions() }), /authority's certificate, not an attestation key's/u);
  refused(of({ to: "20260101000000Z" }), /expired certificate \(CN=vm\.example, 2026-01-01\)$/u);
  refused(of({ from: "20270101000000Z" }), /not valid yet/u);
  const strange = [...akExtensions(), testExtension("1.2.3.4", Buffer.from("0500", "hex"), true)];
  refused(of({ extensions: strange }), /not known \(1\.2\.3\.4\)/u);
  refused(Buffer.from("no certificate"), /expected an X\.509 certificate/u);
});

test("each authority vouches for what it is trusted for: makers for EKs, clouds for their virtual TPMs", () => {
  const akCertificate = akCertificateOf(ak, { issuer: maker });
  assert.match(vouch({ akCertificate }, BOTH).problem ?? "", /no trusted issuer named CN=Maker Root/u);
  const ekOf = (issuer: TestCertificate): Buffer => testCertificate({ issuer, extensions: ekExtensions() }).der;
  assert.deepEqual(vouch({ ekCertificate: ekOf(maker) }, BOTH), { notes: [] });
  assert.match(vouch({ ekCertificate: ekOf(issuing) }, BOTH).problem ?? "", /no trusted issuer named CN=Cloud CA 3/u);
  // Google's: no manufacturer, for key encipherment alone.
  const clouds = testCertificate({ commonName: "vm", issuer: issuing, extensions: akExtensions(undefined, 0x20) }).der;
  assert.deepEqual(vouch({ ekCertificate: clouds }, BOTH), {
    notes: ["EK certified by CN=Cloud CA 3, under CN=Cloud Root"],
  });
  assert.match(vouch({ ekCertificate: clouds }, { ekRoots: BOTH.ekRoots }).problem ?? "", /names no TPM manufacturer/u);
  const signs = testCertificate({ commonName: "vm", issuer: issuing, extensions: akExtensions() }).der;
  assert.match(vouch({ ekCertificate: signs }, BOTH).problem ?? "", /not for keyEncipherment or keyAgreement/u);
});

test("without trusted clouds nothing is proven, and the sentence says what to do; another key's is wrong all the same", () => {
  const trust = { ekRoots: BOTH.ekRoots };
  const { missing, problem } = vouch({ akCertificate: akCertificateOf(ak) }, trust);
  assert.equal(problem, undefined);
  assert.match(
    missing?.found ?? "",
    /^one by CN=Cloud CA 3, and no trusted clouds were given \(ashlar trust add --cloud/u,
  );
  const other = akCertificateOf(parsePublic(read("ak_ecc.pub")));
  assert.match(vouch({ akCertificate: other }, trust).problem ?? "", /another key's/u);
});

test("a certificate of which any signed byte is another one is refused", () => {
  const good = akCertificateOf(ak);
  // After the outer SEQUENCE's header: the signed part with its own.
  const signedBytes = 4 + good.readUInt16BE(6);
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 3 + signedBytes }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const akCertificate = Buffer.from(good);
      akCertificate[at] = (good[at] ?? 0) ^ change;
      assert.notEqual(vouch({ akCertificate }).problem, undefined);
    }),
    { numRuns: 300 },
  );
});

const ATTRIBUTES_AT = 6;
function withAttributes(attributes: number): Buffer {
  const bytes = Buffer.from(AK);
  bytes.writeUInt32BE(attributes, ATTRIBUTES_AT);
  return bytes;
}

function problemOfKey(bytes: Uint8Array, isCertified: boolean): string | undefined {
  const differences: Difference[] = [];
  checkAttestationKey(bytes, isCertified, differences);
  return differences[0] && `${differences[0].what}: ${differences[0].found}`;
}

test("a certified key's attributes: what an attestation key needs, who may use it, and nothing else", () => {
  const REQUIRED = { fixedTPM: 0x2, fixedParent: 0x10, sensitiveDataOrigin: 0x20, restricted: 0x10000, sign: 0x40000 };
  const OPTIONAL = [0x40, 0x80, 0x400];
  const OTHERS = { stClear: 0x4, encryptedDuplication: 0x800, decrypt: 0x20000, x509sign: 0x80000, reserved: 0x1 };
  const all = Object.values(REQUIRED).reduce((sum, bit) => sum | bit, 0);
  for (let choice = 0; choice < 2 ** OPTIONAL.length; choice += 1) {
    const more = OPTIONAL.reduce((sum, bit, index) => ((choice >> index) & 1 ? sum | bit : sum), 0);
    assert.equal(problemOfKey(withAttributes(all | more), true), undefined);
    // Our own keys have exactly the one set.
    assert.equal(problemOfKey(withAttributes(all | more), false) === undefined, more === 0x40);
  }
  for (const [name, bit] of Object.entries(REQUIRED)) {
    const problem = problemOfKey(withAttributes((all | 0x40) & ~bit), true) ?? "";
    assert.match(problem, /^attestation key's attributes: /u, name);
    assert.ok(!problem.includes(` ${name} `), name);
  }
  for (const [name, bit] of Object.entries(OTHERS)) {
    assert.match(problemOfKey(withAttributes((all | 0x40 | bit) >>> 0), true) ?? "", /attributes/u, name);
  }
});

test("a key whose name is by another hash than SHA-256 is refused: pins could not be read again", () => {
  const bytes = Buffer.from(AK);
  bytes.writeUInt16BE(0x000c, 4);
  for (const isCertified of [true, false]) {
    assert.equal(problemOfKey(bytes, isCertified), "attestation key's name: one by sha384");
  }
});

test("a certified key is enrolled without a challenge, and pinned by itself; a wrong one is not", () => {
  const keys = { ak: AK, akCertificate: akCertificateOf(ak) };
  const pinned = enrolCertifiedKey(keys, CLOUD, NOW);
  // The certificate is renewed, the key stays.
  const renewed = { ...keys, akCertificate: akCertificateOf(ak, { commonName: "renewed" }) };
  assert.deepEqual(enrolCertifiedKey(renewed, CLOUD, NOW), pinned);
  const wrong = withAttributes(0x0004_0072);
  assert.throws(() => enrolCertifiedKey({ ...keys, ak: wrong }, CLOUD, NOW), {
    code: "untrusted",
    message: /attestation key's attributes: .*, found .*sensitiveDataOrigin userWithAuth sign$/u,
  });
  assert.throws(() => enrolCertifiedKey(keys, { ...CLOUD, cloudRoots: parseEkRoots(maker.pem) }, NOW), {
    message: /attestation key's certificate: expected a certificate that a trusted cloud issued/u,
  });
  // Without a certificate there has to be an EK to challenge.
  assert.throws(() => prepareEnrolment({ ak: read("ak_ecc.pub") }, CLOUD, NOW, (size) => new Uint8Array(size)), {
    message: /expected an EK, found none/u,
  });
});
