import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "./hash-algorithm.ts";
import { pcrDigestOf, type PcrSelection, selectedPcrs } from "./pcr-selection.ts";
import { refuses } from "./test-malformed.ts";

const SELECTIONS: readonly PcrSelection[] = [
  { hash: "sha256", pcrs: [4, 11] },
  { hash: "sha1", pcrs: [0] },
  { hash: "sha256", pcrs: [1, 4] },
];

test("the selected PCRs of a bank are ascending, each once", () => {
  assert.deepEqual(selectedPcrs(SELECTIONS, "sha256"), [1, 4, 11]);
  assert.deepEqual(selectedPcrs(SELECTIONS, "sha1"), [0]);
  assert.deepEqual(selectedPcrs(SELECTIONS, "sha384"), []);
});

test("the digest takes the values in the order of the selections", () => {
  const value = (bank: string, pcr: number): Uint8Array => new Uint8Array(bank === "sha1" ? 20 : 32).fill(pcr);
  const expected = digestOf(
    "sha384",
    value("sha256", 4),
    value("sha256", 11),
    value("sha1", 0),
    value("sha256", 1),
    value("sha256", 4),
  );
  assert.deepEqual(pcrDigestOf("sha384", SELECTIONS, value), expected);
});

test("a selected PCR without value, or of another size, is an error", () => {
  refuses(() => pcrDigestOf("sha256", SELECTIONS, () => undefined), /PCR 4 of bank sha256: .* found none/u, "invalid");
  refuses(() => pcrDigestOf("sha256", SELECTIONS, () => new Uint8Array(20)), /found 20 bytes/u, "invalid");
});
