import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, type Json } from "./canonical-json.ts";

test("keys are sorted by UTF-16 code units at every depth", () => {
  assert.equal(
    canonicalJson({ b: [{ d: 1, c: null }], a: "x", "\u{10000}": 1, "\ufb33": 2 }),
    '{"a":"x","b":[{"c":null,"d":1}],"\u{10000}":1,"\ufb33":2}',
  );
});

test("values without a single encoding are refused", () => {
  assert.throws(() => canonicalJson(Number.NaN), TypeError);
  assert.throws(() => canonicalJson("\ud800"), TypeError);
});

test("the encoding parses back to the value and does not depend on insertion order", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const encoded = canonicalJson(value);
      assert.deepEqual(JSON.parse(encoded), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(JSON.parse(encoded) as Json), encoded);
    }),
  );
});
