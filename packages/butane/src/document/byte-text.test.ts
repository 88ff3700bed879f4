import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOfText, textOfBytes } from "./byte-text.ts";

test("bytes become a text and the same bytes again, whatever they are", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(bytesOfText(textOfBytes(bytes)), bytes)));
});

test("what is UTF-8 becomes what it says, and each other byte one character", () => {
  assert.equal(textOfBytes(Buffer.from("\ufeffaé€🎉")), "\ufeffaé€🎉");
  const cases: readonly (readonly [bytes: string, text: string])[] = [
    ["61ff62", "a\udcffb"],
    // Cut short, longer than need be, a surrogate, and beyond the last character.
    ["e282", "\udce2\udc82"],
    ["c080", "\udcc0\udc80"],
    ["eda080", "\udced\udca0\udc80"],
    ["f4908080", "\udcf4\udc90\udc80\udc80"],
  ];
  for (const [bytes, text] of cases) assert.equal(textOfBytes(Buffer.from(bytes, "hex")), text);
});
