import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { parseComponentRequest, parseDebugRequest, parseMaintainRequest } from "./parse-extension-requests.ts";

test("requests are read", () => {
  assert.deepEqual(parseComponentRequest('{"component":"kubernetes"}'), { component: "kubernetes" });
  const whole = { component: "kubernetes", to: "v1.33.5", allowDowngrade: true, retry: false };
  assert.deepEqual(parseComponentRequest(JSON.stringify(whole)), whole);
  assert.deepEqual(parseDebugRequest('{"extension":"debug-tools","seconds":0}'), {
    extension: "debug-tools",
    seconds: 0,
  });
  assert.deepEqual(parseMaintainRequest('{"updates":true}'), { updates: true });
});

test("what is wrong is named", () => {
  for (const [parse, body, place] of [
    [parseComponentRequest, "", "JSON object"],
    [parseComponentRequest, "[]", "JSON object"],
    [parseComponentRequest, "{}", "$.component"],
    [parseComponentRequest, '{"component":"../x"}', "$.component"],
    [parseComponentRequest, '{"component":"a","to":"../x"}', "$.to"],
    [parseComponentRequest, '{"component":"a","to":null}', "$.to"],
    [parseComponentRequest, '{"component":"a","allowDowngrade":1}', "$.allowDowngrade"],
    [parseComponentRequest, '{"component":"a","retry":"yes"}', "$.retry"],
    [parseComponentRequest, '{"component":"a","path":"/x"}', "path"],
    [parseDebugRequest, '{"seconds":60}', "$.extension"],
    [parseDebugRequest, '{"extension":"a"}', "$.seconds"],
    [parseDebugRequest, '{"extension":"a","seconds":-1}', "$.seconds"],
    [parseDebugRequest, '{"extension":"a","seconds":1.5}', "$.seconds"],
    [parseDebugRequest, '{"extension":"a","seconds":86401}', "$.seconds"],
    [parseMaintainRequest, '{"updates":1}', "$.updates"],
    [parseMaintainRequest, '{"updates":true,"x":1}', "x"],
  ] as const) {
    assert.throws(
      () => parse(body),
      (error) => error instanceof AshlarError && error.code === "malformed" && error.message.includes(place),
      body,
    );
  }
});

test("any text is a request or an AshlarError", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
      for (const parse of [parseComponentRequest, parseDebugRequest, parseMaintainRequest]) {
        try {
          parse(body);
        } catch (error) {
          assert.ok(error instanceof AshlarError, String(error));
        }
      }
    }),
  );
});
