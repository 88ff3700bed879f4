import assert from "node:assert/strict";
import { createPublicKey, type X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  authorityExtensions,
  ekExtensions,
  testCertificate,
  testExtension,
  testPkcs7,
  type CertificateShape,
  type TestCertificate,
} from "@ashlar/formats/test-certificates";
import { checkEkChain, findEkChainProblem, parseCertificate, parseEkRoots } from "./ek-chain.ts";
import { ekKeyOf, readableCertificates } from "./maker-certificate.ts";

const NOW = new Date("2026-12-01T00:00:00Z");
const LONG_AGO = { from: "20140101000000Z", to: "20240101000000Z" };
const authority = (commonName: string, shape: CertificateShape = {}, pathLength?: number): TestCertificate =>
  testCertificate({ commonName, extensions: authorityExtensions(pathLength), ...shape });
const ek = (issuer: TestCertificate, shape: CertificateShape = {}): X509Certificate =>
  parseCertificate(testCertificate({ issuer, extensions: ekExtensions(), ...shape }).der, "EK");
const rootsOf = (...certificates: readonly TestCertificate[]): ReturnType<typeof parseEkRoots> =>
  parseEkRoots(certificates.map(({ pem }) => pem).join(""));

const root = authority("Maker Root");
const between = authority("Maker Intermediate", { issuer: root });

test("EK certificates without a subject, of every kind of key, lead to their maker", () => {
  for (const key of ["rsa", "P-256", "P-384"] as const) {
    const certificate = ek(root, { key });
    assert.equal(findEkChainProblem(certificate, rootsOf(root), NOW), undefined, key);
    assert.ok(ekKeyOf(certificate).equals(certificate.publicKey));
    assert.match(findEkChainProblem(certificate, rootsOf(authority("Other")), NOW) ?? "", /named CN=Maker Root$/u);
  }
  const strong = authority("Strong Root", { key: "P-384" });
  assert.equal(findEkChainProblem(ek(strong), rootsOf(strong), NOW), undefined);
});

test("a maker of the past has signed with SHA-1", () => {
  const past = authority("Maker of the Past", { key: "rsa", isSha1: true });
  const certificate = ek(past, { isSha1: true });
  assert.equal(findEkChainProblem(certificate, rootsOf(past), NOW), undefined);
});

test("a key that is marked for OAEP is read out of its certificate", () => {
  const made = testCertificate({ issuer: root, extensions: ekExtensions(), key: "rsa", isOaep: true });
  const certificate = parseCertificate(made.der, "EK");
  assert.throws(() => certificate.publicKey);
  assert.ok(ekKeyOf(certificate).equals(createPublicKey(made.privateKey)));
  assert.equal(findEkChainProblem(certificate, rootsOf(root), NOW), undefined);
});

test("critical extensions: those of the profile are known, others refuse the certificate", () => {
  const critical = (identifier: string): Buffer => testExtension(identifier, Buffer.from("3000", "hex"), true);
  for (const known of ["2.5.29.9", "2.5.29.32"]) {
    const certificate = ek(root, { extensions: [...ekExtensions(), critical(known)] });
    assert.equal(findEkChainProblem(certificate, rootsOf(root), NOW), undefined, known);
  }
  const strange = ek(root, { extensions: [...ekExtensions(), critical("1.2.3.4")] });
  assert.match(findEkChainProblem(strange, rootsOf(root), NOW) ?? "", /not known \(1\.2\.3\.4\)/u);
  const harmless = ek(root, { extensions: [...ekExtensions(), testExtension("1.2.3.4", Buffer.from("x"))] });
  assert.equal(findEkChainProblem(harmless, rootsOf(root), NOW), undefined);
  const constrained = authority("Constrained", { extensions: [...authorityExtensions(), critical("2.5.29.30")] });
  assert.match(findEkChainProblem(ek(constrained), rootsOf(constrained), NOW) ?? "", /2\.5\.29\.30/u);
  const doubled = ek(root, { extensions: [...ekExtensions(), ...ekExtensions()] });
  assert.match(findEkChainProblem(doubled, rootsOf(root), NOW) ?? "", /each extension once/u);
  // An authorityKeyIdentifier that says nothing of use.
  const odd = ek(root, { extensions: [...ekExtensions(), testExtension("2.5.29.35", Buffer.from("3000", "hex"))] });
  assert.equal(findEkChainProblem(odd, rootsOf(root), NOW), undefined);
});

test("authorities: who may sign, and how far below", () => {
  const short = authority("Short Root", {}, 0);
  assert.equal(findEkChainProblem(ek(short), rootsOf(short), NOW), undefined);
  const below = authority("Below", { issuer: short });
  assert.match(findEkChainProblem(ek(below), rootsOf(short, below), NOW) ?? "", /path length \(0\)/u);
  assert.match(
    findEkChainProblem(ek(below), rootsOf(short), NOW, readableCertificates([below.der])) ?? "",
    /path length \(0\)/u,
  );
  const signsNothing = authority("Signs Nothing", { extensions: authorityExtensions(undefined, 0x80) });
  assert.match(findEkChainProblem(ek(signsNothing), rootsOf(signsNothing), NOW) ?? "", /may not sign certificates/u);
});

test("what the operator names is an anchor, though another authority has signed it; below it all is checked", () => {
  const old = authority("Authority of the Past", LONG_AGO);
  const crossSigned = authority("Maker Root", { issuer: old, key: root.privateKey });
  assert.equal(findEkChainProblem(ek(root), rootsOf(crossSigned), NOW), undefined);
  const issued = ek(between);
  assert.equal(findEkChainProblem(issued, rootsOf(crossSigned, between), NOW), undefined);
  assert.match(findEkChainProblem(issued, rootsOf(crossSigned), NOW) ?? "", /named CN=Maker Intermediate/u);
  assert.throws(() => rootsOf(testCertificate({ commonName: "No Authority" })), { code: "invalid" });
});

test("a node's own intermediates lead to an anchor, and are none themselves", () => {
  const own = readableCertificates([between.der]);
  assert.equal(findEkChainProblem(ek(between), rootsOf(root), NOW, own), undefined);
  const stranger = authority("Stranger");
  assert.match(
    findEkChainProblem(ek(stranger), rootsOf(root), NOW, readableCertificates([stranger.der])) ?? "",
    /no trusted issuer named CN=Stranger/u,
  );
  const expired = authority("Expired", { issuer: root, ...LONG_AGO });
  assert.match(
    findEkChainProblem(ek(expired), rootsOf(root), NOW, readableCertificates([expired.der])) ?? "",
    /expired certificate \(CN=Expired, 2024-01-01\)/u,
  );
  const many = readableCertificates(
    Array.from({ length: 250 }, () => authority("Same Name", { key: stranger.privateKey }).der),
  );
  const same = authority("Same Name");
  assert.match(findEkChainProblem(ek(same), rootsOf(root), NOW, many) ?? "", /signatures to check/u);
});

test("expired certificates are accepted only when the operator says so, and each is named", () => {
  const old = authority("Old Root", LONG_AGO);
  const certificate = ek(old, LONG_AGO);
  assert.match(findEkChainProblem(certificate, rootsOf(old), NOW) ?? "", /expired.*--accept-expired-ek/u);
  const chain = checkEkChain(certificate, parseEkRoots(old.pem, { acceptExpired: true }), NOW);
  assert.equal(chain.problem, undefined);
  assert.deepEqual(chain.notes, [
    "accepted although it has expired: the maker's certificate without a subject, 2024-01-01",
    "accepted although it has expired: the maker's certificate CN=Old Root, 2024-01-01",
  ]);
  const future = ek(old, { from: "20300101000000Z" });
  const accepting = parseEkRoots(old.pem, { acceptExpired: true });
  assert.match(findEkChainProblem(future, accepting, NOW) ?? "", /not valid yet/u);
});

test("roots in every form in which makers publish them", () => {
  const pkcs7 = testPkcs7(root.der, between.der);
  const pemPkcs7 = `-----BEGIN PKCS7-----\n${pkcs7.toString("base64")}\n-----END PKCS7-----\n`;
  for (const file of [root.der, root.pem, Buffer.from(root.pem.replaceAll("\n", "\r\n")), pkcs7, pemPkcs7]) {
    const roots = parseEkRoots(file);
    assert.equal(findEkChainProblem(ek(root), roots, NOW), undefined);
    assert.equal(roots.anchors.size, 1);
  }
  const PROBLEMS: readonly (readonly [string | Buffer, RegExp])[] = [
    ["", /an empty file/u],
    ["<!DOCTYPE html><html>", /a web page/u],
    ["PK\u0003\u0004...", /a ZIP archive/u],
    ["MSCF\0\0", /a Cabinet archive/u],
    ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", /PEM of PRIVATE KEY/u],
    [root.der.toString("base64"), /base64 without the lines of PEM/u],
    [testPkcs7(), /PKCS #7 without any/u],
    [root.der.subarray(0, 100), /needs/u],
  ];
  for (const [file, message] of PROBLEMS) assert.throws(() => parseEkRoots(file), { message });
});

test("makers' own certificates, where a directory of them is named", (context) => {
  const cases = process.env["ASHLAR_CASES"];
  if (cases === undefined || !existsSync(cases)) {
    context.diagnostic("did not run: ASHLAR_CASES names no directory with makers' certificates");
    return;
  }
  const read = (...path: readonly string[]): Buffer => readFileSync(join(cases, ...path));
  const nuvoton = parseCertificate(read("ek-certificate-without-subject", "nuvoton-ecc.der"), "EK");
  const nuvotons = parseEkRoots(read("ek-certificate-without-subject", "nuvoton.pem"));
  assert.equal(findEkChainProblem(nuvoton, nuvotons, NOW), undefined);
  const infineon = parseEkRoots(read("ek-roots-as-makers-give-them", "infineon-ecc-root.der"));
  assert.match(findEkChainProblem(nuvoton, infineon, NOW) ?? "", /no trusted issuer named/u);
  assert.equal(parseEkRoots(read("ek-roots-as-makers-give-them", "infineon-root-cross-signed.pem")).anchors.size, 1);
  const st = parseCertificate(read("ek-certificate-oaep-key", "st-oaep.der"), "EK");
  assert.equal(ekKeyOf(st).asymmetricKeyDetails?.modulusLength, 2048);
  const sts = read("ek-certificate-oaep-key", "st.pem");
  assert.match(findEkChainProblem(st, parseEkRoots(sts), NOW) ?? "", /expired/u);
  assert.equal(checkEkChain(st, parseEkRoots(sts, { acceptExpired: true }), NOW).problem, undefined);
});
