import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { dataUrl } from "./data-url.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test("bytes take the shortest of the three forms", () => {
  const cases: readonly [text: string, compression: string | undefined, source: string][] = [
    ["", undefined, "data:,"],
    ["Az09-_.!~*'()", undefined, "data:,Az09-_.!~*'()"],
    ["a b/c", undefined, "data:,a%20b%2Fc"],
    // Four characters escaped take twelve, like ;base64, with six digits: the first form stays.
    ["////", undefined, "data:,%2F%2F%2F%2F"],
    ["//////////", undefined, "data:;base64,Ly8vLy8vLy8vLw=="],
    ["a".repeat(200), "gzip", `data:,${"a".repeat(200)}`],
  ];
  for (const [text, compression, source] of cases) {
    assert.deepEqual(dataUrl(encode(text), compression), { source, compression: compression ?? "" }, text);
  }
});

test("bytes are compressed when base64 of that and the word gzip are shorter", () => {
  const text = "a".repeat(200);
  for (const given of [undefined, ""]) {
    const { source, compression } = dataUrl(encode(text), given);
    assert.equal(compression, "gzip");
    const base64 = source.slice("data:;base64,".length);
    assert.equal(gunzipSync(Buffer.from(base64, "base64")).toString(), text);
  }
});
