import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { operatorPem, operatorPin, pinOfOperatorPem } from "./operator-key.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PEM = operatorPem(privateKey);

test("an operator's file holds a key, whose pin is OpenSSL's digest of it", () => {
  const spki = { type: "spki", format: "pem" } as const;
  assert.deepEqual(createPublicKey(PEM).export(spki), publicKey.export(spki));
  const der = execFileSync("openssl", ["pkey", "-pubout", "-outform", "DER"], { input: PEM });
  const digest = execFileSync("openssl", ["dgst", "-sha256", "-r"], { input: der, encoding: "utf8" }).slice(0, 64);
  assert.equal(operatorPin(publicKey), `sha256:${digest}`);
  assert.equal(pinOfOperatorPem(PEM), `sha256:${digest}`);
});

test("other text, and keys of other kinds, are refused", () => {
  const pkcs8 = { type: "pkcs8", format: "pem" } as const;
  const others = [
    generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export(pkcs8),
    generateKeyPairSync("ed25519").privateKey.export(pkcs8),
    publicKey.export({ type: "spki", format: "pem" }),
  ].map(String);
  for (const text of ["", "x", PEM.slice(0, -40), ...others]) {
    assert.throws(() => pinOfOperatorPem(text), { code: "malformed", message: /P-256/u });
  }
});
