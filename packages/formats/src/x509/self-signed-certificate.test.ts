import assert from "node:assert/strict";
import { X509Certificate, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { bitString, der, objectIdentifier, positiveInteger, sequence } from "./der.ts";
import { selfSignedCertificate } from "./self-signed-certificate.ts";

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

test("DER", () => {
  assert.equal(positiveInteger(Uint8Array.of(0, 0)).toString("hex"), "020100");
  assert.equal(positiveInteger(Uint8Array.of(0x7f)).toString("hex"), "02017f");
  assert.equal(positiveInteger(Uint8Array.of(0x80)).toString("hex"), "02020080");
  assert.equal(objectIdentifier("1.2.840.113549").toString("hex"), "06062a864886f70d");
  assert.equal(bitString(Uint8Array.of(5)).toString("hex"), "03020005");
  assert.equal(sequence().toString("hex"), "3000");
  assert.equal(der(4, new Uint8Array(0x80)).subarray(0, 3).toString("hex"), "048180");
  assert.equal(der(4, new Uint8Array(0x1234)).subarray(0, 4).toString("hex"), "04821234");
});
