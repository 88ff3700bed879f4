import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { keyObjectOf, nameOf } from "./key.ts";
import { parsePublic } from "./public.ts";
import { patched, refuses, survivesAnything } from "./test-malformed.ts";
import { textVector, vector } from "./test-vectors.ts";

test("names equal those that the TPM gave", () => {
  for (const kind of ["rsa", "ecc"]) {
    const name = nameOf(parsePublic(vector(`quotes/ak_${kind}.pub`)));
    assert.deepEqual(Uint8Array.from(name), vector(`quotes/ak_${kind}.name`));
  }
});

test("a name is over the bytes as read and begins with the name algorithm", () => {
  const bytes = vector("quotes/ak_ecc.pub");
  const sha384 = nameOf(parsePublic(patched(bytes, 4, 0, 0x0c)));
  assert.equal(sha384.length, 2 + 48);
  assert.deepEqual([...sha384.subarray(0, 2)], [0, 0x0c]);
});

test("the EK's public is the key of its certificate, which its CA signed", () => {
  const certificate = new X509Certificate(vector("quotes/ek_rsa_cert.der"));
  assert.ok(keyObjectOf(parsePublic(vector("quotes/ek.pub"))).equals(certificate.publicKey));
  const issuer = new X509Certificate(textVector("quotes/issuercert.pem"));
  const root = new X509Certificate(textVector("quotes/swtpm-localca-rootca-cert.pem"));
  assert.ok(certificate.verify(issuer.publicKey));
  assert.ok(new X509Certificate(vector("quotes/ek_ecc_cert.der")).verify(issuer.publicKey));
  assert.ok(issuer.verify(root.publicKey));
});

test("a point that is not on its curve is no key", () => {
  const bytes = vector("quotes/ak_ecc.pub");
  const other = patched(bytes, bytes.length - 1, 0xff ^ (bytes.at(-1) ?? 0));
  refuses(() => keyObjectOf(parsePublic(other)), /expected an ECC key/u, "invalid");
});

test("survives anything", () => {
  const seeds = ["ak_rsa", "ak_ecc", "ek", "ekecc"].map((name) => vector(`quotes/${name}.pub`));
  survivesAnything((bytes) => keyObjectOf(parsePublic(bytes)), seeds);
});
