import assert from "node:assert/strict";
import { test } from "node:test";
import type { Comparison } from "@ashlar/kube";
import { judgeDuration, judgeQuery, judgeWebhook, quoted, type GateVerdict } from "./gate-answers.ts";
import { gateServerOf } from "./gate-server.ts";

const TIME = 1_764_500_000.5;

function success(resultType: string, result: unknown): string {
  return JSON.stringify({ status: "success", data: { resultType, result } });
}

const vector = (...values: readonly string[]): string =>
  success(
    "vector",
    values.map((value, index) => ({ metric: { instance: `${index}` }, value: [TIME, value] })),
  );

function text(verdict: GateVerdict): string {
  return verdict.isOpen ? "open" : verdict.message;
}

test("a value is compared, and each of several has to hold", () => {
  for (const [body, is, wanted, expected] of [
    [vector("0.01"), "<=", "0.01", "open"],
    [vector("0.02"), "<=", "0.01", "expected <= 0.01, found 0.02"],
    [vector("1", "1", "3"), "<", "2", "expected < 2, found 3 in one of 3 series"],
    [vector("1", "1"), "==", "1", "open"],
    [vector("1"), "!=", "1", "expected != 1, found 1"],
    [vector("-2.5"), ">=", "-2.5", "open"],
    [vector("+Inf"), ">", "5", "open"],
    [vector("-Inf"), ">", "5", "expected > 5, found -Infinity"],
    [success("scalar", [TIME, "4"]), ">", "3", "open"],
    // What is no number compares with nothing, not even as another one.
    [vector("NaN"), "!=", "1", "expected != 1, found NaN"],
    [vector(""), "<", "1", "expected < 1, found NaN"],
    [success("vector", [{}]), "<", "1", "expected < 1, found NaN"],
    [vector(), "<", "1", "the query gives no series"],
    [success("matrix", []), "<", "1", "expected a scalar or a vector, found matrix"],
    [success("string", [TIME, "a"]), "<", "1", "expected a scalar or a vector, found string"],
    [success("vector", "none"), "<", "1", "expected a scalar or a vector, found vector"],
  ] as const satisfies readonly (readonly [string, Comparison, string, string])[]) {
    assert.equal(text(judgeQuery({ status: 200, body }, is, wanted)), expected, body);
  }
});

test("what is no answer of Prometheus is closed, and quoted in one line", () => {
  const of = (status: number, body: string): string => text(judgeQuery({ status, body }, "<", "1"));
  const error = JSON.stringify({ status: "error", errorType: "bad_data", error: "1:3: parse error\u001b[2J" });
  assert.equal(of(400, error), String.raw`Prometheus answers: 1:3: parse error\u001b[2J`);
  assert.equal(of(302, ""), "expected an answer of Prometheus, found status 302: ");
  assert.match(of(200, "<html>\nlogin"), /^expected an answer of Prometheus, found status 200: <html>/u);
  assert.match(of(503, vector("0")), /^expected an answer of Prometheus, found status 503/u);
  for (const body of ["", "null", "[]", "7", '{"status":"success"}', '{"status":"success","data":7}']) {
    assert.match(of(200, body), /^expected /u, body);
  }
  assert.equal(quoted("x".repeat(1000)).length, 300);
});

test("a webhook opens with a status of 2xx, and says why not", () => {
  assert.equal(text(judgeWebhook({ status: 204, body: "" })), "open");
  assert.equal(text(judgeWebhook({ status: 409, body: "a change freeze\n" })), "it answers 409: a change freeze");
  assert.equal(text(judgeWebhook({ status: 301, body: "" })), "it answers 301");
});

test("it has to hold for as long as is asked for, from when it was first found to", () => {
  const open = { isOpen: true } as const;
  assert.equal(text(judgeDuration(open, 0, 0, 0)), "open");
  assert.equal(text(judgeDuration(open, 1000, 60, 31_000)), "it is well since 30 s, and has to be for 60 s");
  assert.equal(text(judgeDuration(open, 1000, 60, 61_000)), "open");
  assert.equal(text(judgeDuration({ isOpen: false, message: "no" }, 0, 60, 99_000)), "no");
});

test("whom a gate asks is in a Secret, and no message has anything of it", () => {
  const secret = (entries: Readonly<Record<string, string>>) => ({
    entries: new Map(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value)])),
  });
  const found = gateServerOf("a", secret({ url: "https://prometheus:9090/base\n", token: "secret-word\n" }));
  assert.deepEqual([found.url.href, found.token, found.ca], ["https://prometheus:9090/base", "secret-word", undefined]);
  assert.throws(() => gateServerOf("a", undefined), { code: "not-found", message: /expected the Secret a in/u });
  for (const entries of [
    {},
    { url: "ftp://a/" },
    { url: "secret-word" },
    { url: "https://user:secret-word@a/" },
    { url: "https://a/", token: "secret-word two" },
    { url: "https://a/", token: "" },
    { url: "https://a/", token: "secret-word\r\nx: y" },
  ]) {
    assert.throws(
      () => gateServerOf("a", secret(entries)),
      (error: Error) => error.message.startsWith("the Secret a: expected ") && !error.message.includes("secret-word"),
      JSON.stringify(entries),
    );
  }
});
