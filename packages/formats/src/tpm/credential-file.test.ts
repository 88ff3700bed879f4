import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCredentialFile, writeCredentialFile } from "./credential-file.ts";
import { joined, patched, refuses, refusesEveryOtherLength, survivesAnything } from "./test-malformed.ts";
import { vector } from "./test-vectors.ts";

const FILE = vector("quotes/cred.bin");

test("reads the two parts of a file that tpm2_activatecredential accepted, and writes the same file", () => {
  const credential = parseCredentialFile(FILE);
  assert.equal(credential.credentialBlob.length, 2 + 0x35);
  assert.equal(credential.encryptedSecret.length, 2 + 256);
  assert.deepEqual(Uint8Array.from(writeCredentialFile(credential)), FILE);
});

test("refuses every truncation, trailing bytes, and a wrong value in each field", () => {
  refusesEveryOtherLength(parseCredentialFile, FILE);
  refuses(() => parseCredentialFile(patched(FILE, 0, 0xbb)), /header: expected BADCC0DE 00000001/u);
  refuses(() => parseCredentialFile(patched(FILE, 7, 2)), /header: expected BADCC0DE 00000001/u);
  refuses(() => parseCredentialFile(patched(FILE, 8, 0, 0)), /credentialBlob: expected 1 to 132 bytes, found 0/u);
  refuses(() => parseCredentialFile(patched(FILE, 8, 0, 133)), /credentialBlob: .* found 133/u);
  refuses(() => parseCredentialFile(patched(FILE, 8, 0xff, 0xff)), /credentialBlob needs 65535 bytes/u);
  refuses(() => parseCredentialFile(patched(FILE, 63, 0, 0)), /secret: expected 1 to 512 bytes, found 0/u);
  const huge = joined(FILE.subarray(0, 63), Uint8Array.of(2, 1), new Uint8Array(513));
  refuses(() => parseCredentialFile(huge), /secret: .* found 513/u);
});

test("survives anything", () => survivesAnything(parseCredentialFile, [FILE]));
