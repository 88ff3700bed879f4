import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findLostMember } from "./lost-member.ts";

test("names that reading would lose are found at every depth", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['{"a":1,"b":{"a":1}}', undefined],
    ['[{"a":1},{"a":1}]', undefined],
    ['{"a":"a","b":["a","a"]}', undefined],
    ['{"a":1,"a":2}', "a"],
    [String.raw`{"a":1,"\u0061":2}`, "a"],
    ['{"x":[{"pins":{"n":{},"n":{}}}]}', "n"],
    ['{"x":{"__proto__":{}}}', "__proto__"],
    [String.raw`{"x":{"\u005f_proto__" : {}}}`, "__proto__"],
    [String.raw`{"a":"\"},\"a\":"}`, undefined],
  ];
  for (const [text, expected] of cases) assert.equal(findLostMember(text), expected, text);
});

test("what JSON.stringify writes loses nothing", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      if (!text.includes("__proto__")) assert.equal(findLostMember(text), undefined);
    }),
  );
});
