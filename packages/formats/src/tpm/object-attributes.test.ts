import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTESTATION_KEY_ATTRIBUTES, objectAttributeNames } from "./object-attributes.ts";

test("names the set bits, reserved ones as a number", () => {
  assert.equal(
    objectAttributeNames(ATTESTATION_KEY_ATTRIBUTES),
    "fixedTPM fixedParent sensitiveDataOrigin userWithAuth restricted sign",
  );
  assert.equal(objectAttributeNames(0x8000_0003), "fixedTPM 0x80000001");
  assert.equal(objectAttributeNames(0), "");
});
