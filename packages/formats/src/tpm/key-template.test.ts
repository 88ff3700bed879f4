import assert from "node:assert/strict";
import { test } from "node:test";
import { parseKeyTemplate } from "./key-template.ts";
import { patched, refuses, refusesEveryOtherLength, survivesAnything } from "./test-malformed.ts";

/** As Google's TPMs have them: 280 and 88 bytes, with zeros where the key's numbers are. */
const RSA = Buffer.concat([Buffer.from("0001000b00050072000000100014000b0800000000000100", "hex"), Buffer.alloc(256)]);
const ECC = Buffer.concat([
  Buffer.from("0023000b00050072000000100018000b000300100020", "hex"),
  Buffer.alloc(32),
  Buffer.from("0020", "hex"),
  Buffer.alloc(32),
]);

test("templates of both kinds are read", () => {
  assert.deepEqual([RSA.length, ECC.length], [280, 88]);
  const rsa = parseKeyTemplate(RSA);
  assert.deepEqual([rsa.type, rsa.attributes, rsa.unique.map(({ length }) => length)], ["rsa", 0x0005_0072, [256]]);
  const ecc = parseKeyTemplate(ECC);
  assert.deepEqual([ecc.type, ecc.authPolicy.length, ecc.unique.map(({ length }) => length)], ["ecc", 0, [32, 32]]);
});

test("a template of another kind of key is refused by its field", () => {
  const refused = (bytes: Uint8Array, message: RegExp): void =>
    refuses(() => parseKeyTemplate(bytes), message, "malformed");
  refused(patched(RSA, 1, 0x08), /type: expected RSA or ECC, found 0x0008/u);
  refused(patched(RSA, 3, 0x0c), /nameAlg: expected SHA-256, found sha384/u);
  refused(patched(RSA, 11, 0x06), /symmetric: expected 0x0010/u);
  refused(patched(RSA, 13, 0x16), /scheme: expected 0x0014, found 0x0016/u);
  refused(patched(RSA, 15, 0x0c), /scheme\.hashAlg: expected SHA-256/u);
  refused(patched(RSA, 16, 0x0c), /keyBits: expected 0x0800, found 0x0c00/u);
  refused(patched(RSA, 21, 0x01), /exponent: expected 0, found 1/u);
  refused(patched(ECC, 17, 0x04), /curveID: expected 0x0003/u);
  refused(patched(ECC, 19, 0x22), /kdf: expected 0x0010/u);
  refused(RSA.subarray(0, 279), /unique\.rsa needs 256 bytes/u);
  refused(Buffer.concat([RSA, Buffer.alloc(1)]), /expected the end, found 1 more/u);
  refused(Buffer.concat([RSA.subarray(0, 8), Buffer.from("000300", "hex")]), /authPolicy/u);
});

test("other lengths are refused, and any bytes give a template or a refusal", () => {
  for (const template of [RSA, ECC]) refusesEveryOtherLength(parseKeyTemplate, template);
  survivesAnything(parseKeyTemplate, [RSA, ECC]);
});
