import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { operatorPem, operatorPin, pinOfOperatorPem } from "./operator-key.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PEM = operatorPem(privateKey, Uint8Array.of(1, 2, 3));

test("an operator's file holds a key and its certificate, and both have the same pin as OpenSSL's digest", () => {
  assert.ok(new X509Certificate(PEM).checkPrivateKey(privateKey));
  assert.deepEqual(
    createPublicKey(PEM).export({ type: "spki", format: "pem" }),
    publicKey.export({ type: "spki", format: "pem" }),
  );
  const der = execFileSync("openssl", ["pkey", "-pubout", "-outform", "DER"], { input: PEM });
  const digest = execFileSync("openssl", ["dgst", "-sha256", "-r"], { input: der, encoding: "utf8" }).slice(0, 64);
  assert.equal(operatorPin(publicKey), `sha256:${digest}`);
  assert.equal(pinOfOperatorPem(PEM), `sha256:${digest}`);
});

test("half of it, another's certificate and other text are refused", () => {
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const key = PEM.slice(0, PEM.indexOf("-----BEGIN CERTIFICATE"));
  const certificate = PEM.slice(key.length);
  for (const text of ["", "x", key, certificate, `${other.export({ type: "pkcs8", format: "pem" })}${certificate}`]) {
    assert.throws(() => pinOfOperatorPem(text), { code: "malformed" });
  }
});
