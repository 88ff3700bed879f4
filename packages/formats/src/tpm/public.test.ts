import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePublic, parsePublicArea } from "./public.ts";
import { joined, patched, refuses, refusesEveryOtherLength, survivesAnything } from "./test-malformed.ts";
import { vector } from "./test-vectors.ts";

const RSA_AK = vector("quotes/ak_rsa.pub");
const ECC_AK = vector("quotes/ak_ecc.pub");
const RSA_EK = vector("quotes/ek.pub");
const ECC_EK = vector("quotes/ekecc.pub");

test("reads an attestation key of each type", () => {
  const rsa = parsePublic(RSA_AK);
  assert.ok(rsa.type === "rsa");
  assert.equal(rsa.nameAlgorithm, "sha256");
  assert.equal(rsa.attributes, 0x0005_0072);
  assert.equal(rsa.authPolicy.length, 0);
  assert.equal(rsa.symmetric, undefined);
  assert.deepEqual(rsa.scheme, { kind: "rsassa", hash: "sha256" });
  assert.equal(rsa.exponent, 65_537);
  assert.equal(rsa.modulus.length, 256);
  assert.deepEqual(rsa.area, RSA_AK.subarray(2));

  const ecc = parsePublic(ECC_AK);
  assert.ok(ecc.type === "ecc");
  assert.deepEqual(ecc.scheme, { kind: "ecdsa", hash: "sha256" });
  assert.equal(ecc.curve, "P-256");
  assert.equal(Buffer.from(ecc.x).toString("hex").slice(0, 8), "a088aa6f");
  assert.equal(Buffer.from(ecc.y).toString("hex").slice(-8), "7627e70b");
});

test("reads an endorsement key's cipher and policy", () => {
  for (const bytes of [RSA_EK, ECC_EK]) {
    const ek = parsePublic(bytes);
    assert.equal(ek.attributes, 0x0003_00b2);
    assert.equal(ek.authPolicy.length, 32);
    assert.deepEqual(ek.symmetric, { algorithm: "aes", keyBits: 128, mode: "cfb" });
    assert.deepEqual(ek.scheme, { kind: "null" });
  }
});

test("a coordinate without its leading zeros is padded, the area stays as read", () => {
  // The point is (..., 32 bytes y); y's first byte is dropped and the sizes adjusted.
  const area = ECC_AK.subarray(2);
  const short = joined(area.subarray(0, 54), Uint8Array.of(0, 31), area.subarray(57));
  const ecc = parsePublicArea(short);
  assert.ok(ecc.type === "ecc");
  assert.deepEqual(ecc.y, joined(Uint8Array.of(0), area.subarray(57)));
  assert.deepEqual(ecc.area, short);
});

test("refuses every truncation and trailing bytes", () => {
  for (const bytes of [RSA_AK, ECC_AK, RSA_EK, ECC_EK]) {
    refusesEveryOtherLength(parsePublic, bytes);
    refusesEveryOtherLength(parsePublicArea, bytes.subarray(2));
  }
});

test("refuses a wrong value in each field", () => {
  const rsa = RSA_AK.subarray(2);
  const ecc = ECC_AK.subarray(2);
  const ek = RSA_EK.subarray(2);
  const cases: readonly (readonly [area: Uint8Array, offset: number, value: readonly number[], message: RegExp])[] = [
    [rsa, 0, [0, 8], /type: expected RSA or ECC, found 0x0008/u],
    [rsa, 2, [0, 4], /nameAlg: SHA-1 is too weak/u],
    [rsa, 2, [0, 0x12], /nameAlg: expected SHA-1, .*found 0x0012/u],
    [rsa, 8, [0, 1], /authPolicy: expected no bytes or a sha256 digest, found 1/u],
    [rsa, 8, [0xff, 0xff], /authPolicy needs 65535 bytes/u],
    [ek, 42, [0, 0x26], /symmetric: expected AES or TPM_ALG_NULL, found 0x0026/u],
    [ek, 44, [0, 64], /symmetric.keyBits: expected 128, 192 or 256, found 64/u],
    [ek, 46, [0, 0x42], /symmetric.mode: expected CFB, found 0x0042/u],
    [rsa, 12, [0, 0x18], /scheme: 0x0018 is not one/u],
    [ecc, 12, [0, 0x14], /scheme: 0x0014 is not one/u],
    [ecc, 12, [0, 0x15], /scheme: 0x0015 is not one/u],
    [rsa, 14, [0, 4], /scheme.hashAlg: SHA-1 is too weak/u],
    [rsa, 16, [4, 0], /keyBits: expected 2048, 3072 or 4096, found 1024/u],
    [rsa, 18, [0, 0, 0, 3], /exponent: .*found 3/u],
    [rsa, 18, [0, 1, 0, 2], /exponent: .*found 65538/u],
    [rsa, 22, [0, 255], /unique.rsa: expected 256 bytes, found 255/u],
    [rsa, 22, [0xff, 0xff], /unique.rsa needs 65535 bytes/u],
    [rsa, 24, [0x7f], /unique.rsa: expected an odd number of 2048 bits/u],
    [rsa, rsa.length - 1, [0], /unique.rsa: expected an odd number/u],
    [ecc, 16, [0, 0x10], /curveID: expected a NIST P curve, found 0x0010/u],
    [ecc, 18, [0, 1], /kdf: expected TPM_ALG_NULL/u],
    [ecc, 20, [0, 0], /unique.ecc.x: expected 1 to 32 bytes, found 0/u],
    [ecc, 20, [0, 33], /unique.ecc.x: expected 1 to 32 bytes, found 33/u],
    [ecc, 54, [0, 0], /unique.ecc.y: expected 1 to 32 bytes, found 0/u],
  ];
  for (const [area, offset, value, message] of cases) {
    refuses(() => parsePublicArea(patched(area, offset, ...value)), message);
  }
});

test("reads the schemes that other keys have", () => {
  const area = RSA_AK.subarray(2);
  const withScheme = (...scheme: number[]): Uint8Array =>
    joined(area.subarray(0, 12), Uint8Array.from(scheme), area.subarray(16));
  assert.deepEqual(parsePublicArea(withScheme(0, 0x10)).scheme, { kind: "null" });
  assert.deepEqual(parsePublicArea(withScheme(0, 0x15)).scheme, { kind: "rsaes" });
  assert.deepEqual(parsePublicArea(withScheme(0, 0x16, 0, 0x0c)).scheme, { kind: "rsapss", hash: "sha384" });
  assert.deepEqual(parsePublicArea(withScheme(0, 0x17, 0, 0x0d)).scheme, { kind: "oaep", hash: "sha512" });
  const ecc = ECC_AK.subarray(2);
  const withKdf = joined(ecc.subarray(0, 18), Uint8Array.of(0, 0x20, 0, 0x0b), ecc.subarray(20));
  assert.equal(parsePublicArea(withKdf).type, "ecc");
});

test("survives anything", () => survivesAnything(parsePublic, [RSA_AK, ECC_AK, RSA_EK, ECC_EK]));
