import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AshlarError } from "@ashlar/base";
import { certificatesInFile, splitCertificates } from "./certificate-file.ts";
import { authorityExtensions, ekExtensions, testCertificate, testPkcs7 } from "./test-certificate.ts";

const root = testCertificate({ commonName: "Root", extensions: authorityExtensions() }).der;
const ek = testCertificate({ commonName: "EK", extensions: ekExtensions() }).der;

const hex = (...ders: readonly Uint8Array[]): string[] => ders.map((each) => Buffer.from(each).toString("hex"));
const inFile = (...parts: readonly Uint8Array[]): string[] => hex(...certificatesInFile(Buffer.concat(parts), "file"));
const inMemory = (...parts: readonly Uint8Array[]): string[] => hex(...splitCertificates(Buffer.concat(parts)));

test("a copy of NV memory: certificates after each other, filled with zeros (Infineon) or ones (STMicroelectronics)", () => {
  for (const octet of [0, 0xff]) {
    const filling = Buffer.alloc(1600 - ek.length, octet);
    assert.deepEqual(inFile(ek, filling), hex(ek));
    assert.deepEqual(inFile(ek, root, filling), hex(ek, root));
    assert.deepEqual(inMemory(ek, filling), hex(ek));
    assert.deepEqual(inMemory(ek, filling, root, filling), hex(ek, root), "the next index has more, after filling");
    assert.deepEqual(inMemory(filling), []);
  }
  assert.deepEqual(inMemory(ek, Buffer.from("junk"), root), hex(ek));
  assert.throws(() => inFile(ek, Buffer.from("junk")), {
    code: "malformed",
    message: /expected the end, found 4 more/u,
  });
});

test("a certificate in the structure of TPM 1.2's specification (TCG_PCCLIENT_STORED_CERT)", () => {
  const stored = (...inside: readonly Uint8Array[]): Buffer => {
    const content = Buffer.concat(inside);
    return Buffer.concat([Uint8Array.of(0x10, 0x01, 0, content.length >> 8, content.length & 0xff), content]);
  };
  const full = Uint8Array.of(0x10, 0x02);
  for (const wrapped of [stored(ek), stored(full, ek), Buffer.concat([stored(full, ek), Buffer.alloc(50, 0xff)])]) {
    assert.deepEqual(inFile(wrapped), hex(ek));
    assert.deepEqual(inMemory(wrapped), hex(ek));
  }
  assert.deepEqual(inMemory(Uint8Array.of(0x10, 0x01, 0)), []);
});

test("what people give instead of a certificate is named, with what to do", () => {
  const PROBLEMS: readonly (readonly [string | Uint8Array, RegExp])[] = [
    [JSON.stringify({ pubhash: "x", certificate: ek.toString("base64url") }), /a maker's answer in JSON/u],
    [ek.toString("hex"), /DER in hexadecimal/u],
    [Buffer.from("3080060100", "hex"), /found BER, whose lengths are not given/u],
    [Buffer.concat([Uint8Array.of(0x1f, 0x8b), ek]), /a gzip archive: unpack it/u],
  ];
  for (const [file, message] of PROBLEMS)
    assert.throws(() => certificatesInFile(Buffer.from(file), "file"), { message });
});

test("any bytes are certificates or an error of ours, and nothing is read twice", () => {
  const parts = fc.constantFrom(ek, root, testPkcs7(root), Buffer.alloc(9, 0xff), Uint8Array.of(0x10, 0x01, 0, 1, 0));
  fc.assert(
    fc.property(fc.array(fc.oneof(parts, fc.uint8Array({ maxLength: 40 })), { maxLength: 5 }), (some) => {
      const bytes = Buffer.concat(some);
      const size = splitCertificates(bytes).reduce((sum, each) => sum + each.length, 0);
      assert.ok(size <= bytes.length);
      try {
        certificatesInFile(bytes, "file");
      } catch (error) {
        if (!(error instanceof AshlarError)) throw error;
      }
    }),
  );
});
