import assert from "node:assert/strict";
import { test } from "node:test";
import {
  authorityExtensions,
  ekExtensions,
  testCertificate,
  testExtension,
  testName,
  type CertificateShape,
  type TestCertificate,
} from "@ashlar/formats/test-certificates";
import { describeEk } from "./describe-ek.ts";
import { findEkChainProblem, parseCertificate, parseEkRoots } from "./ek-chain.ts";

const NOW = new Date("2026-12-01T00:00:00Z");
const [PRINTABLE, TELETEX, UTF8, BMP] = [0x13, 0x14, 0x0c, 0x1e];
const [CN, SERIAL, O] = ["2.5.4.3", "2.5.4.5", "2.5.4.10"];
const authority = (shape: CertificateShape): TestCertificate =>
  testCertificate({ extensions: authorityExtensions(), ...shape });
const problemOf = (root: TestCertificate, shape: CertificateShape = {}): string | undefined => {
  const ek = testCertificate({ issuer: root, extensions: ekExtensions(), ...shape });
  return findEkChainProblem(parseCertificate(ek.der, "EK"), parseEkRoots(root.der), NOW);
};

test("a maker's name is the same name in another kind of text, case, spacing or composition of letters", () => {
  const root = authority({ subject: testName([[O, UTF8, "Mäker Inc."]], [[CN, UTF8, "TPM Root"]]) });
  for (const issuerName of [
    testName([[O, TELETEX, "Mäker Inc."]], [[CN, PRINTABLE, "TPM Root"]]),
    testName([[O, BMP, "MÄKER INC."]], [[CN, BMP, " tpm  root "]]),
    testName([[O, UTF8, "Ma\u0308ker Inc."]], [[CN, UTF8, "TPM Root"]]),
  ]) {
    assert.equal(problemOf(root, { issuerName }), undefined);
  }
  const swapped = testName([[CN, UTF8, "TPM Root"]], [[O, UTF8, "Mäker Inc."]]);
  assert.match(problemOf(root, { issuerName: swapped }) ?? "", /no trusted issuer named/u);
});

test("attributes that share a set have no order", () => {
  const [name, serial] = [[CN, UTF8, "Root"] as const, [SERIAL, PRINTABLE, "12"] as const];
  const root = authority({ subject: testName([name, serial]) });
  assert.equal(problemOf(root, { issuerName: testName([serial, name]) }), undefined);
});

test("key identifiers and other names restrict nothing, marked as critical or not; what restricts is refused", () => {
  const identifier = Buffer.from("04020102", "hex");
  const more = (extension: string): Buffer => testExtension(extension, identifier, true);
  for (const extension of ["2.5.29.14", "2.5.29.18"]) {
    assert.equal(
      problemOf(authority({ commonName: "R" }), { extensions: [...ekExtensions(), more(extension)] }),
      undefined,
    );
    assert.equal(
      problemOf(authority({ commonName: "R", extensions: [...authorityExtensions(), more(extension)] })),
      undefined,
    );
  }
  for (const extension of ["2.5.29.30", "2.5.29.31", "2.5.29.36"]) {
    const constrained = authority({ commonName: "R", extensions: [...authorityExtensions(), more(extension)] });
    assert.match(problemOf(constrained) ?? "", /critical extension that is not known/u, extension);
  }
});

test("an issuer whose name is trusted and whose key is another is told from one that is not there", () => {
  const [trusted, renewed] = [authority({ commonName: "Maker" }), authority({ commonName: "Maker" })];
  const ek = parseCertificate(testCertificate({ issuer: renewed, extensions: ekExtensions() }).der, "EK");
  assert.match(
    findEkChainProblem(ek, parseEkRoots(trusted.der), NOW) ?? "",
    /named CN=Maker with the key that has signed it/u,
  );
  assert.equal(findEkChainProblem(ek, parseEkRoots(trusted.pem + renewed.pem), NOW), undefined);
});

test("a thousand trusted authorities, most of one name, some given twice, are ordered with few signatures, and never without a limit", () => {
  const root = authority({ commonName: "Root" });
  const same = Array.from({ length: 300 }, () => authority({ commonName: "Root", key: root.privateKey }).pem);
  const own = Array.from({ length: 300 }, (_, index) => authority({ commonName: `Maker ${index}`, issuer: root }).pem);
  const roots = parseEkRoots([root.pem, ...same, ...own, ...own].join(""));
  assert.equal(roots.certificates.length, 601);
  assert.equal(roots.anchors.size, 301);
  // Each with a key of its own.
  const strangers = Array.from({ length: 80 }, () => authority({ commonName: "Root" }).pem);
  const issued = Array.from({ length: 80 }, () => authority({ commonName: "Below", issuer: root }).pem);
  assert.throws(() => parseEkRoots([...strangers, ...issued].join("")), {
    code: "limit",
    message: /at most 5000 signatures/u,
  });
});

test("makers by number, without letters", () => {
  const extensions = (manufacturer: string): Buffer[] => {
    const name = testName([["2.23.133.2.1", UTF8, manufacturer]]);
    return [
      testExtension(
        "2.5.29.17",
        Buffer.from(`30${size(name.length + 2)}a4${size(name.length)}${name.toString("hex")}`, "hex"),
        true,
      ),
    ];
  };
  const size = (length: number): string => length.toString(16).padStart(2, "0");
  const makerOf = (manufacturer: string): string | null =>
    describeEk(parseCertificate(testCertificate({ commonName: "EK", extensions: extensions(manufacturer) }).der, "EK"))
      .maker;
  assert.equal(makerOf("id:00001014"), "IBM or swtpm (00001014)");
  assert.equal(makerOf("id:00000001"), "id:00000001");
  assert.equal(makerOf("id:4E544300"), "Nuvoton (NTC)");
});
