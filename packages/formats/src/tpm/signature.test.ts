import assert from "node:assert/strict";
import { constants, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { parsePublic, type TpmPublic } from "./public.ts";
import { parseSignature, verifyQuoteSignature } from "./signature.ts";
import { joined, patched, refuses, refusesEveryOtherLength, survivesAnything } from "./test-malformed.ts";
import { vector } from "./test-vectors.ts";

const KINDS = ["rsa", "ecc"] as const;
const AK = { rsa: parsePublic(vector("quotes/ak_rsa.pub")), ecc: parsePublic(vector("quotes/ak_ecc.pub")) };
const QUOTE = { rsa: vector("quotes/quote_rsa.msg"), ecc: vector("quotes/quote_ecc.msg") };
const SIGNATURE = { rsa: vector("quotes/quote_rsa.sig"), ecc: vector("quotes/quote_ecc.sig") };

test("the TPM's quotes verify, with their own key only", () => {
  for (const kind of KINDS) {
    assert.ok(verifyQuoteSignature(AK[kind], QUOTE[kind], SIGNATURE[kind]));
    const other = kind === "rsa" ? "ecc" : "rsa";
    assert.ok(!verifyQuoteSignature(AK[other], QUOTE[kind], SIGNATURE[kind]));
  }
});

test("one changed bit in any byte of a quote, or of a signature's numbers, fails", () => {
  for (const kind of KINDS) {
    for (const [offset, byte] of QUOTE[kind].entries()) {
      assert.ok(!verifyQuoteSignature(AK[kind], patched(QUOTE[kind], offset, byte ^ 1), SIGNATURE[kind]));
    }
    const numbers = SIGNATURE[kind].entries().drop(kind === "ecc" ? 40 : 6);
    for (const [offset, byte] of numbers) {
      assert.ok(!verifyQuoteSignature(AK[kind], QUOTE[kind], patched(SIGNATURE[kind], offset, byte ^ 1)));
    }
  }
});

test("scheme and hash are the key's, not the signature's", () => {
  for (const kind of KINDS) {
    const loose: TpmPublic = { ...AK[kind], scheme: { kind: "null" } };
    assert.ok(!verifyQuoteSignature(loose, QUOTE[kind], SIGNATURE[kind]));
    const claimsSha384 = patched(SIGNATURE[kind], 2, 0, 0x0c);
    assert.ok(!verifyQuoteSignature(AK[kind], QUOTE[kind], claimsSha384));
  }
  const claimsPss = patched(SIGNATURE.rsa, 0, 0, 0x16);
  assert.ok(!verifyQuoteSignature(AK.rsa, QUOTE.rsa, claimsPss));
});

test("verifies RSAPSS with any salt length", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const modulus = Buffer.from(publicKey.export({ format: "jwk" }).n ?? "", "base64url");
  const ak: TpmPublic = {
    ...AK.rsa,
    type: "rsa",
    modulus,
    exponent: 65_537,
    scheme: { kind: "rsapss", hash: "sha256" },
  };
  for (const saltLength of [32, 222]) {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const signature = sign("sha256", QUOTE.rsa, { key: privateKey, padding, saltLength });
    const tpmt = joined(Uint8Array.of(0, 0x16, 0, 0x0b, 1, 0), signature);
    assert.ok(verifyQuoteSignature(ak, QUOTE.rsa, tpmt));
    assert.ok(!verifyQuoteSignature(ak, QUOTE.ecc, tpmt));
  }
});

test("verifies ECDSA numbers that lack their leading zeros", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const ak: TpmPublic = {
    ...AK.ecc,
    type: "ecc",
    curve: "P-256",
    x: Buffer.from(x, "base64url"),
    y: Buffer.from(y, "base64url"),
  };
  let pair: Buffer;
  do pair = sign("sha256", QUOTE.ecc, { key: privateKey, dsaEncoding: "ieee-p1363" });
  while (pair[0] !== 0);
  const short = joined(
    Uint8Array.of(0, 0x18, 0, 0x0b, 0, 31),
    pair.subarray(1, 32),
    Uint8Array.of(0, 32),
    pair.subarray(32),
  );
  assert.ok(verifyQuoteSignature(ak, QUOTE.ecc, short));
  const long = joined(
    Uint8Array.of(0, 0x18, 0, 0x0b, 0, 33, 0),
    pair.subarray(0, 32),
    Uint8Array.of(0, 32),
    pair.subarray(32),
  );
  assert.ok(!verifyQuoteSignature(ak, QUOTE.ecc, long), "a number longer than the curve's is not cut");
});

test("refuses every truncation, trailing bytes, and a wrong value in each field", () => {
  for (const kind of KINDS) refusesEveryOtherLength(parseSignature, SIGNATURE[kind]);
  const cases: readonly (readonly [kind: "rsa" | "ecc", offset: number, value: readonly number[], message: RegExp])[] =
    [
      ["rsa", 0, [0, 0x15], /sigAlg: expected RSASSA, RSAPSS or ECDSA, found 0x0015/u],
      ["rsa", 2, [0, 4], /hash: SHA-1 is too weak/u],
      ["ecc", 2, [0, 0x10], /hash: expected SHA-1, SHA-256.*found 0x0010/u],
      ["rsa", 4, [0, 0], /sig: expected 1 to 512 bytes, found 0/u],
      ["rsa", 4, [0xff, 0xff], /sig needs 65535 bytes/u],
      ["ecc", 4, [0, 0], /signatureR: expected 1 to 66 bytes, found 0/u],
      ["ecc", 4, [0xff, 0xff], /signatureR needs 65535 bytes/u],
      ["ecc", 38, [0, 0], /signatureS: expected 1 to 66 bytes, found 0/u],
      ["ecc", 38, [0xff, 0xff], /signatureS needs 65535 bytes/u],
    ];
  for (const [kind, offset, value, message] of cases) {
    refuses(() => parseSignature(patched(SIGNATURE[kind], offset, ...value)), message);
  }
  refuses(() => parseSignature(joined(Uint8Array.of(0, 0x14, 0, 0x0b, 2, 1), new Uint8Array(513))), /found 513/u);
  refuses(() => parseSignature(joined(Uint8Array.of(0, 0x18, 0, 0x0b, 0, 67), new Uint8Array(67))), /found 67/u);
});

test("survives anything", () => {
  for (const kind of KINDS) {
    survivesAnything((bytes) => verifyQuoteSignature(AK[kind], QUOTE[kind], bytes), [SIGNATURE[kind]]);
  }
});
