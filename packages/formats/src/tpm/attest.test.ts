import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAttest } from "./attest.ts";
import { joined, patched, refuses, refusesEveryOtherLength, survivesAnything } from "./test-malformed.ts";
import { vector } from "./test-vectors.ts";

const QUOTE = vector("quotes/quote_ecc.msg");
/** Where fields begin in that quote: its qualified signer has 34 bytes, its extra data 32. */
const EXTRA_DATA = 42;
const SAFE = 92;
const SELECTIONS = 101;

test("reads what the TPM said", () => {
  const attest = parseAttest(QUOTE);
  assert.equal(attest.qualifiedSigner.length, 34);
  assert.deepEqual(attest.extraData, vector("quotes/nonce"));
  assert.equal(attest.clock, 83_240n);
  assert.equal(attest.resetCount, 2);
  assert.equal(attest.restartCount, 0);
  assert.equal(attest.safe, true);
  assert.equal(attest.firmwareVersion, 0x2019_1023_0016_3636n);
  assert.deepEqual(attest.selections, [{ hash: "sha256", pcrs: [0, 8, 11, 12, 13, 23] }]);
  assert.equal(attest.pcrDigest.length, 32);
  assert.ok(parseAttest(vector("quotes/quote_rsa.msg")).clock < attest.clock);
});

test("refuses every truncation and trailing bytes", () => refusesEveryOtherLength(parseAttest, QUOTE));

test("refuses a wrong value in each field", () => {
  const cases: readonly (readonly [offset: number, value: readonly number[], message: RegExp])[] = [
    [0, [0], /magic: expected 0xff544347, found 0x544347/u],
    [4, [0x80, 0x17], /type: expected a quote \(0x8018\), found 0x8017/u],
    [6, [0, 0], /qualifiedSigner: expected an algorithm and its digest, found 0 bytes/u],
    [6, [0xff, 0xff], /qualifiedSigner needs 65535 bytes/u],
    [8, [0, 0x0c], /qualifiedSigner: expected an algorithm and its digest, found 34/u],
    [8, [0, 0x12], /qualifiedSigner: expected an algorithm/u],
    [EXTRA_DATA, [0, 67], /extraData: expected at most 66 bytes, found 67/u],
    [EXTRA_DATA, [0xff, 0xff], /extraData needs 65535 bytes/u],
    [SAFE, [2], /clockInfo.safe: expected 0 or 1, found 2/u],
    [SELECTIONS, [0xff, 0xff, 0xff, 0xff], /pcrSelect.count: expected at most 16, found 4294967295/u],
    [SELECTIONS, [0, 0, 0, 2], /pcrSelect\[1\]/u],
    [SELECTIONS + 4, [0, 0x12], /pcrSelect\[0\].hash: expected SHA-1/u],
    [SELECTIONS + 6, [5], /sizeofSelect: expected at most 4, found 5/u],
    [SELECTIONS + 10, [0, 31], /pcrDigest: 31 bytes is not a digest's size/u],
    [SELECTIONS + 10, [0xff, 0xff], /pcrDigest needs 65535 bytes/u],
  ];
  for (const [offset, value, message] of cases) refuses(() => parseAttest(patched(QUOTE, offset, ...value)), message);
});

test("reads several banks and a quote over nothing", () => {
  const head = QUOTE.subarray(0, SELECTIONS);
  const tail = QUOTE.subarray(SELECTIONS + 10);
  const banks = Uint8Array.of(0, 0, 0, 2, 0, 4, 3, 0x80, 0, 0x80, 0, 0x0c, 1, 0x03);
  assert.deepEqual(parseAttest(joined(head, banks, tail)).selections, [
    { hash: "sha1", pcrs: [7, 23] },
    { hash: "sha384", pcrs: [0, 1] },
  ]);
  assert.deepEqual(parseAttest(joined(head, Uint8Array.of(0, 0, 0, 0), tail)).selections, []);
});

test("survives anything", () => survivesAnything(parseAttest, [QUOTE, vector("quotes/quote_rsa.msg")]));
