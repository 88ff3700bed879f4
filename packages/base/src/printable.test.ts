import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { printable, printableJson } from "./printable.ts";

/** Written out here, and not taken from the code: the characters that must never reach a terminal. */
function isHarmful(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code < 0xa0) ||
    [0x61c, 0x200e, 0x200f, 0x2028, 0x2029].includes(code) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    (code >= 0xd800 && code <= 0xdfff)
  );
}

const codesOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0) ?? 0);

test("no character that is not to be read is left, and all others stay", () => {
  for (let code = 0; code <= 0x10_ff_ff; code++) {
    const character = String.fromCodePoint(code);
    const found = printable(character);
    if (isHarmful(code)) assert.match(found, /^\\(?:u[0-9a-f]{4}|[nrt])$/u, code.toString(16));
    else if (found !== character) assert.fail(`U+${code.toString(16)} became ${found}`);
  }
});

test("any text becomes one harmless line", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.nat({ max: 0xff_ff }).map((code) => String.fromCharCode(code)) }), (text) => {
      assert.equal(codesOf(printable(text)).some(isHarmful), false);
      assert.equal(printable(printable(text)), printable(text));
    }),
  );
});

test("JSON says the same, in harmless characters", () => {
  const unit = fc.nat({ max: 0xff_ff }).map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit }), fc.array(fc.string({ unit }))), (value) => {
      const json = printableJson(value);
      assert.equal(
        codesOf(json).some((code) => code !== 0x0a && isHarmful(code)),
        false,
      );
      // Surrogates alone are what JSON makes of them; everything else is as it was.
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("names and passwords in URLs are left out", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["at https://user:secret@host:7443/path?x=1", "at https://***@host:7443/path?x=1"],
    ["https://token@host", "https://***@host"],
    ["HTTP://u:p@h http://u:p@@h2", "HTTP://***@h http://***@h2"],
    ["https://host/@scope/name", "https://host/@scope/name"],
    ["https://host?mail=a@b", "https://host?mail=a@b"],
    ["a@b.example, ssh user@host", "a@b.example, ssh user@host"],
  ];
  for (const [text, expected] of cases) {
    assert.equal(printable(text), expected);
    assert.deepEqual(JSON.parse(printableJson({ text: [text] })), { text: [expected] });
  }
  const long = "a".repeat(2_000_000);
  assert.equal(printable(long), long);
});
