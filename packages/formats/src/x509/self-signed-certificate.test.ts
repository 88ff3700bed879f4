import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { bitString, boolean, der, nothing, objectIdentifier, positiveInteger, sequence } from "./der.ts";
import { selfSignedCertificate, signingCertificatePem } from "./self-signed-certificate.ts";

test("OpenSSL reads the certificate as it was meant", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const serial = Uint8Array.from([0, 0x80, 1, 2]);
  const certificate = new X509Certificate(selfSignedCertificate(privateKey, "ashlar-agent", serial));
  assert.ok(certificate.verify(publicKey));
  assert.ok(certificate.checkPrivateKey(privateKey));
  assert.ok(certificate.checkIssued(certificate));
  assert.equal(certificate.subject, "CN=ashlar-agent");
  assert.equal(certificate.subjectAltName, "DNS:ashlar-agent");
  assert.equal(certificate.serialNumber, "800102");
  assert.equal(certificate.validFromDate.toISOString(), "1970-01-01T00:00:00.000Z");
  assert.equal(certificate.validToDate.toISOString(), "9999-12-31T23:59:59.000Z");
});

test("a certificate for signatures: OpenSSL agrees, for RSA and P-256", { skip: needs("openssl") }, () => {
  const keys = [
    generateKeyPairSync("rsa", { modulusLength: 3072 }),
    generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ];
  for (const { privateKey, publicKey } of keys) {
    const pem = signingCertificatePem(privateKey, "Ashlar extensions", Uint8Array.of(1, 2));
    const certificate = new X509Certificate(pem);
    assert.ok(certificate.verify(publicKey) && certificate.checkPrivateKey(privateKey));
    assert.deepEqual([certificate.ca, certificate.subject], [false, "CN=Ashlar extensions"]);
    const text = spawnSync("openssl", ["x509", "-noout", "-text"], { input: pem, encoding: "utf8" }).stdout;
    assert.match(text, /Basic Constraints: critical\s+CA:FALSE/u);
    assert.match(text, /Key Usage: critical\s+Digital Signature\n/u);
    assert.match(text, /Subject Key Identifier: \s+([0-9A-F]{2}:){19}[0-9A-F]{2}\n/u);
  }
});

test("DER", () => {
  assert.equal(bitString(Uint8Array.of(0x80), 7).toString("hex"), "03020780");
  assert.equal(boolean(true).toString("hex") + boolean(false).toString("hex"), "0101ff010100");
  assert.equal(nothing().toString("hex"), "0500");
  assert.equal(positiveInteger(Uint8Array.of(0, 0)).toString("hex"), "020100");
  assert.equal(positiveInteger(Uint8Array.of(0x7f)).toString("hex"), "02017f");
  assert.equal(positiveInteger(Uint8Array.of(0x80)).toString("hex"), "02020080");
  assert.equal(objectIdentifier("1.2.840.113549").toString("hex"), "06062a864886f70d");
  assert.equal(bitString(Uint8Array.of(5)).toString("hex"), "03020005");
  assert.equal(sequence().toString("hex"), "3000");
  assert.equal(der(4, new Uint8Array(0x80)).subarray(0, 3).toString("hex"), "048180");
  assert.equal(der(4, new Uint8Array(0x1234)).subarray(0, 4).toString("hex"), "04821234");
});
