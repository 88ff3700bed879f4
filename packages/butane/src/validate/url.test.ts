import assert from "node:assert/strict";
import { test } from "node:test";
import { dataUrlProblem } from "./data-url-syntax.ts";
import { splitUrl } from "./url.ts";

test("URLs split as Go splits them", () => {
  const cases: readonly [url: string, scheme: string | undefined, query?: string][] = [
    ["http://host/path?a=b#c", "http", "a=b"],
    ["HTTPS://user:pass@host:8080/", "https"],
    ["http://[::1]:80/x", "http"],
    ["http://host:/x", "http"],
    ["arn:aws:s3:::bucket/key", "arn"],
    ["data:,%zz", "data"],
    ["/path", ""],
    ["", ""],
    ["//host/path", ""],
    ["http://host:port/", undefined],
    ["http://a b/", undefined],
    ["http://us er@host/", undefined],
    ["http://host/%zz", undefined],
    ["http://host/#%zz", undefined],
    ["http://[::1/", undefined],
    ["http://h%6fst/", undefined],
    ["http://host/\u0001", undefined],
    [":x", undefined],
    ["1http://x", undefined],
    ["%zz", undefined],
  ];
  for (const [url, scheme, query = ""] of cases) {
    assert.deepEqual(splitUrl(url), scheme === undefined ? undefined : { scheme, query }, url);
  }
});

test("data URLs follow RFC 2397", () => {
  for (const url of [
    "data:,",
    "data:;base64,",
    "data:;base64,aGk=",
    "data:text/plain;a=b,x%20y",
    'data:a/b;c="d,e",x',
  ]) {
    assert.equal(dataUrlProblem(url), undefined, url);
  }
  for (const url of [
    "data:x",
    "DATA:,",
    "data:text,",
    "data:,a b",
    "data:,{",
    "data:,%zz",
    "data:;base64,a",
    "data:;a,",
  ]) {
    assert.notEqual(dataUrlProblem(url), undefined, url);
  }
});
